// A caller of another user, without any of ftpseal's code: it speaks the framing by hand in a node of its own.
import { spawn } from 'node:child_process';

/** Sends the requests, waits for as many responses, and prints everything that came as a JSON list. */
const script = `
const [path, text] = process.argv.slice(1);
const requests = JSON.parse(text);
const socket = require('node:net').connect(path);
let bytes = Buffer.alloc(0);
const seen = [];
const finish = () => { process.stdout.write(JSON.stringify(seen)); process.exit(0); };
socket.on('close', finish).on('error', finish);
requests.forEach(({ method, params }, index) => {
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: index, method, params }));
  socket.write('Content-Length: ' + body.length + '\\r\\n\\r\\n');
  socket.write(body);
});
socket.on('data', (chunk) => {
  bytes = Buffer.concat([bytes, chunk]);
  for (;;) {
    const end = bytes.indexOf('\\r\\n\\r\\n');
    if (end < 0) return;
    const length = Number(/Content-Length: ([0-9]+)/i.exec(bytes.toString('latin1', 0, end))[1]);
    if (bytes.length < end + 4 + length) return;
    seen.push(JSON.parse(bytes.toString('utf8', end + 4, end + 4 + length)));
    bytes = bytes.subarray(end + 4 + length);
    if (seen.filter((m) => 'id' in m).length === requests.length) finish();
  }
});`;

export interface RawMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly data?: { readonly code: string } };
}

export interface RawRequest {
  readonly method: string;
  readonly params?: unknown;
}

/** Everything that the daemon sent to a caller with this uid; one that is not ours needs root. */
export function callAs(
  uid: number,
  path: string,
  requests: readonly RawRequest[],
): Promise<readonly RawMessage[]> {
  const own = [process.execPath, '-e', script, path, JSON.stringify(requests)];
  const switching = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const [command = '', ...argv] = uid === process.geteuid?.() ? own : [...switching, ...own];
  return new Promise((resolve, reject) => {
    const child = spawn(command, argv, { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', reject);
    child.once('close', () => {
      try {
        resolve(JSON.parse(output) as RawMessage[]);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(output));
      }
    });
  });
}

export const isRoot = process.geteuid?.() === 0;
export const skipUnlessRoot = isRoot ? {} : { skip: 'needs root to call as another user' };
