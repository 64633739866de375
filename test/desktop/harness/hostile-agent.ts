// An agent without any of ftpseal's code, which registers with a ready keychain and then plays a trick on the daemon.
import { run, start, waitFor, type Running } from '../../lab/harness/command.js';

export type Trick = 'forged' | 'huge' | 'silent' | 'garbage' | 'endless';

const script = `
const [path, trick, forged] = process.argv.slice(1);
const socket = require('node:net').connect(path + '/ftpseal.sock');
let bytes = Buffer.alloc(0);
const send = (message) => {
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
  socket.write('Content-Length: ' + body.length + '\\r\\n\\r\\n');
  socket.write(body);
};
const tricks = {
  forged: () => ({ records: JSON.parse(forged) }),
  huge: () => ({ records: ['x'.repeat(10 * 1024 * 1024)] }),
  endless: ({ from }) => ({ records: [], next: from + 1 }),
};
send({ id: 1, method: 'agent.register', params: { vault: 'ready' } });
socket.on('error', () => {}).on('close', () => console.log('cut'));
socket.on('data', (chunk) => {
  bytes = Buffer.concat([bytes, chunk]);
  for (;;) {
    const end = bytes.indexOf('\\r\\n\\r\\n');
    if (end < 0) return;
    const length = Number(/Content-Length: ([0-9]+)/i.exec(bytes.toString('latin1', 0, end))[1]);
    if (bytes.length < end + 4 + length) return;
    const message = JSON.parse(bytes.toString('utf8', end + 4, end + 4 + length));
    bytes = bytes.subarray(end + 4 + length);
    if (message.method === undefined) continue;
    console.log('asked ' + message.method);
    if (trick === 'garbage') socket.write(Buffer.from([0, 255, 13, 10, 13, 10, 7]));
    else if (trick === 'forged' && message.method === 'vault.write') send({ id: message.id, result: {} });
    else if (trick !== 'silent') send({ id: message.id, result: tricks[trick](message.params) });
  }
});
setInterval(() => {}, 60000);`;

/** See the head of the file; `leave` ends it. */
export class HostileAgent {
  readonly #running: Running;

  constructor(uid: number, runtimeDir: string, trick: Trick, forged: readonly unknown[]) {
    this.#running = start({ uid }, [
      process.execPath,
      '-e',
      script,
      runtimeDir,
      trick,
      JSON.stringify(forged),
    ]);
  }

  /** Waits until the daemon has asked it for its records. */
  async asked(): Promise<void> {
    await waitFor(
      () => `the daemon to ask a hostile agent: ${this.#running.stderr()}`,
      () => this.#running.stdout().includes('asked vault.read'),
    );
  }

  async leave(): Promise<void> {
    await this.#running.stop();
  }
}

/** What the daemon says to root that wants to be an agent. */
export async function registerAsRoot(runtimeDir: string): Promise<string> {
  const once = script
    .replace("console.log('asked ' + message.method);", '')
    .replace(
      'if (message.method === undefined) continue;',
      'if (message.method === undefined) { console.log(JSON.stringify(message)); process.exit(0); }',
    );
  return (await run({}, [process.execPath, '-e', once, runtimeDir, 'silent', '[]'])).stdout;
}
