// What a package is made of, for people and for programs: the licences of all parts, and a CycloneDX bill of materials.

/**
 * CycloneDX 1.5 as JSON. `parts` have name, version, licence and, if they come from npm, integrity. The same parts and time
 * (seconds since 1970) give the same bytes.
 */
export function billOfMaterials({ name, version, licence }, parts, time) {
  const self = {
    'bom-ref': `${name}@${version}`,
    type: 'application',
    name,
    version,
    ...licenceField(licence),
  };
  const components = [...parts].sort((a, b) => (reference(a) < reference(b) ? -1 : 1)).map(component);
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { timestamp: new Date(time * 1000).toISOString().replace('.000Z', 'Z'), component: self },
    components,
    dependencies: [{ ref: self['bom-ref'], dependsOn: components.map((part) => part['bom-ref']) }],
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

/** One text with the licence of every part; `parts` have name, version, licence and text. */
export function licenceCollection(parts) {
  const head =
    'ftpseal contains the following parts, each under its own licence.\n\n' +
    parts.map(({ name, version, licence }) => `  ${name} ${version}: ${licence}`).join('\n');
  const texts = parts.map(
    ({ name, version, licence, text }) =>
      `${'='.repeat(78)}\n${name} ${version}\n${'='.repeat(78)}\n\n` +
      (text ?? `Licence: ${licence}. The package brings no text of its own.`),
  );
  return `${[head, ...texts].join('\n\n')}\n`;
}

function component(part) {
  const hash =
    part.integrity === undefined ? undefined : Buffer.from(part.integrity.slice('sha512-'.length), 'base64');
  return {
    'bom-ref': reference(part),
    type: part.type ?? 'library',
    name: part.name,
    version: part.version,
    ...licenceField(part.licence),
    purl: reference(part),
    ...(hash === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: hash.toString('hex') }] }),
  };
}

function reference({ name, version, purl }) {
  return purl ?? `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function licenceField(licence) {
  return licence === undefined || licence === 'NOASSERTION' ? {} : { licenses: [{ expression: licence }] };
}
