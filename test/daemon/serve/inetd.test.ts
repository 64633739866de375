// `ftpseal serve --inetd` as a process: however its one connection ends, so does it, with a code and without a stack trace.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../../../shared/fault.js';
import { startBackend, type PlainBackend } from './plain-backend.js';

const main = fileURLToPath(new URL('../../../daemon/main.js', import.meta.url));

let folder: string;
let backend: PlainBackend;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ftpseal-inetd-'));
  backend = await startBackend(Buffer.alloc(10));
  await writeFile(
    path.join(folder, 'config.toml'),
    `[serve]\nbackend = "127.0.0.1:${backend.port}"\nmechanisms = ["X-SafeTP1"]\nsafetp_key = "safetp.pem"\n`,
  );
});

after(async () => {
  await backend.close();
  await rm(folder, { recursive: true, force: true });
});

/** Serves one connection; `talk` is called with what has come. */
async function serveOne(
  talk: (client: net.Socket, heard: string) => void,
  prepare: (client: net.Socket) => Promise<void> = () => Promise.resolve(),
): Promise<{ readonly code: number | null; readonly heard: string; readonly said: string }> {
  const listener = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = net.connect((listener.address() as net.AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  const [accepted] = (await once(listener, 'connection')) as [net.Socket];
  accepted.on('error', () => undefined);
  listener.close();
  await prepare(client);
  const config = path.join(folder, 'config.toml');
  const child = spawn(process.execPath, [main, 'serve', '--inetd', '--config', config], {
    stdio: [accepted, 'ignore', 'pipe'],
  });
  accepted.destroy();
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  let heard = '';
  client.on('data', (bytes) => {
    heard += bytes.toString('latin1');
    talk(client, heard);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  client.destroy();
  return { code, heard, said };
}

describe('ftpseal serve --inetd', () => {
  it('ends with its connection, whose last words arrive', async () => {
    const { code, heard } = await serveOne((client, text) => {
      if (text.endsWith('220 ready\r\n')) client.write('AUTH X-SafeTP1\r\n');
      else if (/334 [^\r]+\r\n$/.test(text)) client.end('ADAT AAAA\r\n');
    });
    assert.match(heard, /\r\n535 [^\r]+\r\n$/);
    assert.equal(code, EXIT.done);
  });
  it('ends when the client breaks off in the middle', async () => {
    const { code, said } = await serveOne((client, text) => {
      if (text.endsWith('220 ready\r\n')) client.write('AUTH X-SafeTP1\r\n');
      else client.resetAndDestroy();
    });
    assert.equal(code, EXIT.done, said);
  });
  it('says so when the client was gone before it began', async () => {
    const gone = async (client: net.Socket): Promise<void> => {
      client.resetAndDestroy();
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const { code, said } = await serveOne(() => undefined, gone);
    assert.equal(code, EXIT.usage, said);
    assert.match(said, /gone already/);
    assert.doesNotMatch(said, /Unhandled|node:events/);
  });
});
