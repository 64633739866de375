// The work list with basic-ftp, without TLS; runs as a program of its own, as an ordinary user.
// One argument: the task as JSON. Prints `@@operation` before each.
import { Client, enterPassiveModeIPv4, enterPassiveModeIPv6 } from 'basic-ftp';
import { Writable } from 'node:stream';
import { z } from 'zod';

const order = z
  .object({
    address: z.string(),
    user: z.string(),
    password: z.string(),
    folder: z.string(),
    remote: z.string(),
    extended: z.boolean(),
    work: z.array(z.string()),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));

process.chdir(order.folder);
const client = new Client(30_000);
client.ftp.verbose = true;
client.prepareTransfer = order.extended ? enterPassiveModeIPv6 : enterPassiveModeIPv4;

async function many(): Promise<void> {
  for (let number = 1; number <= 200; number += 1) {
    const name = `many/up-${String(number).padStart(3, '0')}`;
    await client.uploadFrom(name, name);
  }
  for (let number = 1; number <= 200; number += 1) {
    const name = `many/down-${String(number).padStart(3, '0')}`;
    await client.downloadTo(name, name);
  }
}

async function failedRetr(): Promise<void> {
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

async function list(command: string): Promise<void> {
  client.availableListCommands = [command];
  for (const entry of await client.list()) console.log(entry.name, entry.size, entry.type);
}

const work: Readonly<Record<string, () => Promise<unknown>>> = {
  list: () => list('LIST'),
  mlsd: () => list('MLSD'),
  get: () => client.downloadTo('got.bin', 'hello.bin'),
  put: () => client.uploadFrom('hello.bin', 'put.bin'),
  append: () => client.appendFrom('tail.bin', 'append.bin'),
  restart: () => client.downloadTo('restart.bin', 'hello.bin', 30_000),
  rename: () => client.rename('rename-me', 'renamed'),
  delete: () => client.remove('delete-me'),
  mkdir: () => client.send('MKD new-dir'),
  empty: async () => {
    await client.uploadFrom('empty-up', 'empty-up');
    await client.downloadTo('empty-down', 'empty-down');
  },
  'failed-retr': failedRetr,
  many,
  huge: async () => {
    await client.downloadTo('huge.down', 'huge.bin');
    await client.uploadFrom('huge.local', 'huge.up');
  },
};

async function open(): Promise<void> {
  await client.access({ host: order.address, user: order.user, password: order.password, secure: false });
  await client.cd(order.remote);
}

await open();
for (const name of order.work) {
  console.log(`@@${name}`);
  try {
    // basic-ftp gives a session up when a server resets the data connection of a refused RETR, as ProFTPD does.
    if (client.closed) await open();
    await work[name]?.();
    console.log('ok');
  } catch (error) {
    console.log(String(error));
  }
}
console.log('@@end');
client.close();
