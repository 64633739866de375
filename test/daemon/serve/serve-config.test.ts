// `[serve]`: defaults, what the command line puts in its place, and errors that name file, line and key.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseConfig } from '../../../daemon/config-load.js';
import { offersTls } from '../../../daemon/serve/serve-config.js';
import { loadServeConfig } from '../../../daemon/serve/serve-config-load.js';
import { formatEndpoint } from '../../../shared/endpoint.js';

const folder = mkdtempSync(join(tmpdir(), 'ftpseal-serve-'));
const file = join(folder, 'config.toml');

after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function load(text: string, flags: Readonly<Record<string, unknown>> = {}) {
  writeFileSync(file, text);
  return loadServeConfig(file, flags);
}

describe('[serve]', () => {
  it('has a default for every key', async () => {
    const config = await load('');
    assert.deepEqual(config.listen.map(formatEndpoint), ['0.0.0.0:21']);
    assert.equal(formatEndpoint(config.backend), '127.0.0.1:2121');
    assert.equal(config.require, 'secure');
    assert.equal(config.requireSessionReuse, true);
    assert.equal(config.minVersion, 'TLSv1.2');
    assert.deepEqual(config.mechanisms, ['TLS', 'TLS-C', 'TLS-P', 'SSL']);
  });

  it('takes one certificate or several, relative to its own folder', async () => {
    const one = await load('[serve]\ncertificate = "a.pem"\n');
    assert.deepEqual(one.certificates, [join(folder, 'a.pem')]);
    const two = await load('[serve]\ncertificate = ["a.pem", "/b.pem"]\n', { key: ['k.pem'] });
    assert.deepEqual(two.certificates, [join(folder, 'a.pem'), '/b.pem']);
    assert.deepEqual(two.keys, [join(process.cwd(), 'k.pem')]);
  });

  it('gives way to the command line, whose errors name the flag', async () => {
    const config = await load('[serve]\nrequire = "none"\n', { require: 'secure-data' });
    assert.equal(config.require, 'secure-data');
    await assert.rejects(load('', { passive_ports: '1-2' }), /--passive-ports must be a range/);
  });

  const wrong: readonly [string, RegExp][] = [
    ['listen = ["everywhere"]', /config\.toml:2: serve\.listen\[1\] must be an address with port/],
    ['require = "tls"', /:2: serve\.require must be "none" or "secure" or "secure-data"/],
    ['mechanisms = ["TLS", "X"]', /:2: serve\.mechanisms\[2\] must be "TLS" or/],
    ['ciphers = "NONSENSE"', /:2: serve\.ciphers names no cipher that OpenSSL has: "NONSENSE"/],
    ['min_version = "TLSv1"', /:2: serve\.min_version must be "TLSv1\.2" or "TLSv1\.3"/],
    ['public_address = "::1"', /:2: serve\.public_address must be an IPv4 address/],
    ['require_client_certificate = true', /:2: serve\.require_client_certificate needs client_ca/],
    ['colour = 1', /:2: serve\.colour is not known here; allowed are: listen, implicit/],
  ];
  for (const [line, sentence] of wrong) {
    it(line, async () => {
      await assert.rejects(load(`[serve]\n${line}\n`), sentence);
    });
  }

  it('may stand in the daemon’s file, which checks it too', () => {
    parseConfig('[divert]\nports = [21]\n[serve]\nrequire = "none"\n', 'f.toml');
    assert.throws(() => parseConfig('[serve]\nrequire = "x"\n', 'f.toml'), /f\.toml:2: serve\.require/);
  });
});

describe('X-SafeTP1 in [serve]', () => {
  it('is offered with a key file, after TLS', async () => {
    const config = await load('[serve]\nsafetp_key = "safetp.pem"\nbrand = "Example"\nelgamal_min = 2048\n');
    assert.deepEqual(config.mechanisms, ['TLS', 'TLS-C', 'TLS-P', 'SSL', 'X-SafeTP1']);
    assert.deepEqual(config.safetp, {
      ...{ keyFile: join(folder, 'safetp.pem'), brand: 'Example', elgamalMin: 2048 },
    });
    assert.equal((await load('')).safetp, undefined);
    assert.equal((await load('', { safetp_key: 'k.pem' })).safetp?.keyFile, join(process.cwd(), 'k.pem'));
  });
  it('can be switched off with the mechanisms, and stand alone', async () => {
    const off = await load('[serve]\nsafetp_key = "k.pem"\nmechanisms = ["TLS"]\n');
    assert.equal(off.safetp, undefined);
    assert.ok(offersTls(off));
    const alone = await load('[serve]\nsafetp_key = "k.pem"\nmechanisms = ["X-SafeTP1"]\n');
    assert.ok(alone.safetp !== undefined && !offersTls(alone));
  });
  it('names what is wrong', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      [
        'mechanisms = ["X-SafeTP1"]',
        /config.toml:2: serve.mechanisms names X-SafeTP1, which needs safetp_key/,
      ],
      ['elgamal_min = 512', /:2: serve.elgamal_min must be 768, 1024 or 2048/],
      ['brand = "a\\u202eb"', /:2: serve.brand must be 1 to 256 bytes/],
      ['brand = ""', /brand must be 1 to 256 bytes/],
      [
        'client_ca = "ca.pem"\nrequire_client_certificate = true\nsafetp_key = "k.pem"',
        /require_client_certificate can’t be kept with X-SafeTP1/,
      ],
    ];
    for (const [text, reason] of cases)
      await assert.rejects(load(`[serve]\n${text}\n`), { code: 'config', message: reason });
  });
});
