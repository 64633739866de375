// Runs under Wine: learns from the DNS cache, and prints what is known of each address. Arguments: the DLL ("-": that of this Windows),
// the addresses.
import koffi from 'koffi';
import { openDnsCache } from '../../../daemon/names/windows-dns-calls.js';
import { WindowsDnsCache } from '../../../daemon/names/windows-dns-cache.js';
import { steadyNow } from '../../../daemon/sys/steady-clock.js';
import { parseIpAddress } from '../../../shared/endpoint.js';

const [dll = '-', ...texts] = process.argv.slice(2);
const notes: string[] = [];
const cache = new WindowsDnsCache({
  open: () => (dll === '-' ? openDnsCache() : openDnsCache(dll)),
  note: (message, { trouble = '' }) => notes.push(`${message} ${trouble}`.trim()),
  now: steadyNow,
});
// Looks and their waiting keep no process alive.
const alive = setInterval(() => undefined, 1000);
const current: string[][] = [];
for (const address of texts.flatMap((text) => parseIpAddress(text) ?? [])) {
  await cache.heard(address);
  current.push([...cache.namesOf(address).current].sort());
}
clearInterval(alive);
process.stdout.write(JSON.stringify({ current, notes, counts: dll.includes('stand-in') ? counts() : [] }));

/** What the stand-in has handed out and not got back, and what it was asked wrongly. */
function counts(): readonly number[] {
  return ['Held', 'Wrong'].map((name) => Number(koffi.load(dll).func(`int ${name}()`)()));
}
