// The explicit proxy as a person of Windows uses it: a program of Windows, a real FTPS server, a question that the person answers, and
// who may ask the daemon anything.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { waitFor } from '../lab/harness/command.js';
import { freePort, startFtpsServer, type FtpsServer } from './harness/ftps-server.js';
import { Wine } from './harness/wine.js';
import type { WineProcess } from './harness/wine-process.js';

const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root, for the account of vsftpd' };

describe('the explicit proxy on Windows', needsRoot, () => {
  let wine: Wine;
  let server: FtpsServer;
  let proxy: WineProcess;
  let port: number;
  let runtimeDir: string;
  let program: string;

  const ask = async (...args: string[]): Promise<unknown> => {
    const place = ['--runtime-dir', wine.windowsPath(runtimeDir)];
    const { code, stdout, stderr } = await wine.ftpseal([...args, ...place, '--json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };

  before(async () => {
    wine = Wine.open();
    server = await startFtpsServer({ 'letter.txt': 'from the server' });
    port = await freePort();
    runtimeDir = path.join(wine.driveC, 'ftpseal', 'run');
    program = path.join(wine.driveC, 'ftpseal');
    proxy = wine.startFtpseal([
      ...['proxy', '--listen', `127.0.0.1:${port}`, '--runtime-dir', wine.windowsPath(runtimeDir)],
      ...['--state-dir', wine.windowsPath(path.join(program, 'state')), '--config', wine.patientConfig()],
    ]);
    await proxy.said(/ftpseal proxy listens/, 120_000);
  });
  after(async () => {
    await wine.close();
    await server.stop();
  });

  it('answers the person’s own status', async () => {
    const status = (await ask('status')) as { mode: string; redirect: { kind: string } };
    assert.equal(status.mode, 'explicit');
  });

  it('asks about a new key, and gets the file when the person has trusted it', async () => {
    const user = `${server.user}@127.0.0.1:${server.port}`;
    const script = wine.guestScript('ftp-client');
    const client = wine.start(
      wine.nodeArguments(script, [String(port), user, server.password, 'letter.txt']),
    );
    let questions: readonly Question[] = [];
    await waitFor(
      () => `a question; the client: ${client.stdout()}${client.stderr()}; the proxy: ${proxy.stderr()}`,
      async () => {
        ({ questions } = (await ask('prompts')) as { questions: Question[] });
        return questions.length > 0;
      },
      120_000,
    );
    const [question] = questions;
    assert.match(String(question?.owner.uid), /^S-1-5-21-[0-9-]+$/);
    assert.equal(question?.question.identity?.fingerprint, server.fingerprint);
    await ask('prompts', '--answer', question.id, 'trust');
    const { code, stdout, stderr } = await client.finish(120_000);
    assert.equal(code, 0, stderr);
    const { content, replies } = JSON.parse(stdout) as { content: string; replies: string[] };
    assert.equal(content, 'from the server', replies.join(' | '));
    assert.match(replies.join(' | '), /\| 226 /);
    const { keys } = (await ask('keys', 'list')) as { keys: { fingerprint: string }[] };
    assert.deepEqual(
      keys.map(({ fingerprint }) => fingerprint),
      [server.fingerprint],
    );
  });

  it('hears nobody whom Windows does not know', async () => {
    const { port: ipc } = JSON.parse(readFileSync(path.join(runtimeDir, 'ftpseal.sock'), 'utf8')) as {
      port: number;
    };
    // This process is none of Windows', so no table there names it.
    const socket = connect(ipc, '127.0.0.1');
    let answer = '';
    socket.on('data', (bytes: Buffer) => (answer += bytes.toString('latin1')));
    socket.on('error', () => undefined);
    socket.write(`ftpseal 1 ${'0'.repeat(64)}\n`);
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal(answer, '');
  });

  it('keeps each caller’s secret for that user alone', async () => {
    const folder = path.join(runtimeDir, 'callers');
    const [name = ''] = readdirSync(folder);
    assert.match(name, /^S-1-5-21-[0-9-]+$/);
    const files = [folder, path.join(folder, name), path.join(runtimeDir, 'ftpseal.sock')];
    const rights = (await wine.guest(
      'rights',
      files.map((file) => wine.windowsPath(file)),
    )) as string[];
    assert.doesNotMatch(rights[0] ?? '', /;;;(BU|WD|AU)\)/);
    assert.doesNotMatch(rights[1] ?? '', /;;;(BU|WD|AU)\)/);
    assert.match(rights[1] ?? '', new RegExp(`;;;(${name}|LA)\\)`));
  });
});

interface Question {
  readonly id: string;
  readonly owner: { readonly kind: string; readonly uid?: string };
  readonly question: { readonly identity?: { readonly fingerprint: string } };
}
