// The work of ftps-clients.ts with basic-ftp; runs as a program of its own, as an ordinary user. One argument: the task as JSON.
import { Client, enterPassiveModeIPv4, enterPassiveModeIPv6 } from 'basic-ftp';
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { z } from 'zod';

const order = z
  .object({
    address: z.string(),
    user: z.string(),
    password: z.string(),
    folder: z.string(),
    remote: z.string(),
    word: z.enum(['TLS', 'implicit', 'none']),
    extended: z.boolean(),
    version: z.number(),
    certificate: z.string(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));

process.chdir(order.folder);
const client = new Client(30_000);
client.ftp.verbose = true;
client.prepareTransfer = order.extended ? enterPassiveModeIPv6 : enterPassiveModeIPv4;
const identity = order.certificate === '' ? undefined : readFileSync(order.certificate);

async function missing(): Promise<void> {
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  try {
    await client.downloadTo(nowhere, 'missing.bin');
  } catch (error) {
    console.log(String(error));
  }
}

await client.access({
  host: order.address,
  port: order.word === 'implicit' ? 990 : 21,
  user: order.user,
  password: order.password,
  secure: order.word === 'none' ? false : order.word === 'implicit' ? 'implicit' : true,
  secureOptions: {
    rejectUnauthorized: false,
    ...(order.version === 2 ? { maxVersion: 'TLSv1.2' as const } : {}),
    ...(identity === undefined ? {} : { cert: identity, key: identity }),
  },
});
await client.cd(order.remote);
client.availableListCommands = ['LIST'];
for (const entry of await client.list()) console.log(entry.name, entry.size);
await client.downloadTo('got.bin', 'hello.bin');
await client.uploadFrom('hello.local', 'put.bin');
// No empty upload with TLS: Node's client then often sends neither the end of its handshake nor a close_notify.
if (order.word === 'none') await client.uploadFrom('empty.local', 'empty.up');
await client.downloadTo('empty.down', 'empty.bin');
await client.downloadTo('large.down', 'large.bin');
await client.uploadFrom('large.local', 'large.up');
await missing();
client.close();
