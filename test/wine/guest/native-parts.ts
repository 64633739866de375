// Runs under Wine: do the native parts of the packages for Windows load and work?
import { AsyncEntry } from '@napi-rs/keyring';
import koffi from 'koffi';

const kernel = koffi.load('kernel32.dll');
const pid: unknown = kernel.func('uint32_t GetCurrentProcessId()')();
const entry = new AsyncEntry('ftpseal test', 'native parts');
await entry.setPassword('secret of the test');
const secret = await entry.getPassword();
await entry.deleteCredential();
const afterwards = (await entry.getPassword()) ?? null;
process.stdout.write(
  JSON.stringify({ platform: process.platform, samePid: pid === process.pid, secret, afterwards }),
);
