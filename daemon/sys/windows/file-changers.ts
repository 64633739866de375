// Who besides administrators may change a file, out of its security descriptor. Windows only; the reading of the text is pure.
import type { UserId } from '../../../shared/user-id.js';
import { fileSecurity } from './file-security.js';

/** The system, administrators, the owner of what is made inside, the installer of Windows itself. */
const administrators: readonly UserId[] = [
  'SY',
  'BA',
  'CO',
  'S-1-5-18',
  'S-1-5-32-544',
  'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464',
] as readonly string[] as readonly UserId[];

/** Writing and appending, attributes, deleting (also what is inside), rights and owner, and the generic ones that hold these. */
const changing = 0x0002 | 0x0004 | 0x0010 | 0x0040 | 0x0100 | 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x5000_0000;
/** Words of SDDL for rights that change nothing. */
const harmless: readonly string[] = ['FR', 'FX', 'GR', 'GX', 'RC'];

/** The first who is no administrator and none of `also`; undefined if there is nobody. What can't be read is everybody's. */
export function changeableBy(file: string, also: readonly UserId[]): string | undefined {
  return changerIn(fileSecurity(file) ?? '', also);
}

/** The same out of a descriptor in SDDL. */
export function changerIn(descriptor: string, also: readonly UserId[]): string | undefined {
  const trusted = new Set<string>([...administrators, ...also].map(String));
  const owner = /^O:(S-1[0-9-]*|[A-Z]{2})/.exec(descriptor)?.[1];
  if (owner === undefined || !trusted.has(owner)) return owner ?? 'everybody';
  const list = /D:([A-Z]*)((?:\([^()]*\))*)$/.exec(descriptor);
  if (list === null || list[1]?.includes('NO_ACCESS') === true || !descriptor.includes('D:'))
    return 'everybody';
  const entries = [...(list[2] ?? '').matchAll(/\(([^()]*)\)/g)].map((found) => (found[1] ?? '').split(';'));
  // A descriptor without a list of rights lets everybody do everything; a list without entries lets nobody.
  return entries.find(([kind = '', flags = '', rights = '', , , who = '']) => {
    if (kind === 'D' || kind.startsWith('AU') || flags.match(/../g)?.includes('IO') === true) return false;
    return !trusted.has(who) && canChange(rights);
  })?.[5];
}

function canChange(rights: string): boolean {
  if (/^0x[0-9a-f]{1,8}$/i.test(rights)) return (Number(rights) & changing) !== 0;
  return !(rights.match(/../g) ?? []).every((word) => harmless.includes(word));
}
