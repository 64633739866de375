// The real monitor is in test/lab/names; here is what it never does.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ResolvedMonitor } from '../../../daemon/names/resolved-monitor.js';
import { parseIpAddress } from '../../../shared/endpoint.js';
import { Fault } from '../../../shared/fault.js';

const here = parseIpAddress('10.1.2.3')!;
const ready = '{"parameters":{"ready":true},"continues":true}\0';
const answer = `${JSON.stringify({
  parameters: {
    state: 'success',
    question: [{ name: 'ftp.lab.test' }],
    answer: [{ raw: 'A2Z0cANsYWIEdGVzdAAAAQABAAAAeAAECgECAw==' }],
  },
})}\0`;

let folder: string;
let server: Server;
let socket: Promise<Socket>;
let monitor: ResolvedMonitor | undefined;
let notes: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-names-'));
  notes = [];
  server = createServer();
  accept();
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
});
afterEach(async () => {
  monitor?.close();
  server.close();
  await rm(folder, { recursive: true });
});

function accept(): void {
  socket = new Promise((resolve) => server.once('connection', resolve));
}

function listen(): ResolvedMonitor {
  monitor = new ResolvedMonitor({
    connect: () => Promise.resolve(connect(join(folder, 's'))),
    note: (message, { trouble = '' }) => notes.push(`${message} ${trouble}`.trim()),
    now: Date.now,
  });
  return monitor;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('the monitor of systemd-resolved', () => {
  it('is asked once, and heard in whatever pieces it speaks', async () => {
    const names = listen();
    const peer = await socket;
    const asked = await new Promise<Buffer>((resolve) => peer.once('data', resolve));
    assert.match(asked.toString(), /SubscribeQueryResults","more":true}\0$/);
    for (const byte of Buffer.from(ready + answer)) peer.write(Buffer.from([byte]));
    await until(() => names.namesOf(here).current.length > 0);
    assert.deepEqual(names.namesOf(here), { current: ['ftp.lab.test'], former: [], incomplete: false });
  });

  it('is waited for a moment by a connection that came before its message, and only while it is there', async () => {
    const names = listen();
    await names.heard(here);
    const peer = await socket;
    peer.write(ready);
    await until(() => notes.length > 0);
    let isHeard = false;
    const heard = names.heard(here).then(() => (isHeard = true));
    peer.write(answer);
    await heard;
    assert.equal(isHeard, true);
    assert.deepEqual(names.namesOf(here).current, ['ftp.lab.test']);
  });

  it('that says what can’t be read makes the names incomplete, and is heard on', async () => {
    const names = listen();
    const peer = await socket;
    peer.write(`${ready}{"parameters":7}\0${answer}`);
    await until(() => names.namesOf(here).current.length > 0);
    assert.equal(names.namesOf(here).incomplete, true);
  });

  it('is connected to again when it has gone, and what was heard stays', async () => {
    const names = listen();
    (await socket).write(ready + answer);
    await until(() => names.namesOf(here).current.length > 0);
    const first = await socket;
    accept();
    first.destroy();
    (await socket).write(ready);
    await until(() => notes.length === 3);
    assert.deepEqual(notes, [
      'listening to what programs look up',
      'not listening to what programs look up systemd-resolved ended the connection',
      'listening to what programs look up',
    ]);
    assert.deepEqual(names.namesOf(here).current, ['ftp.lab.test']);
  });

  it('is cut off when it refuses, or never ends a message', async () => {
    listen();
    const refusing = await socket;
    accept();
    refusing.write('{"error":"org.varlink.service.PermissionDenied","parameters":{}}\0');
    const endless = await socket;
    endless.on('error', () => undefined);
    endless.write(Buffer.alloc(600_000, 0x20));
    await until(() => notes.length === 2);
    assert.match(notes[0] ?? '', /it refuses: org\.varlink\.service\.PermissionDenied/);
    assert.match(notes[1] ?? '', /a message without end came/);
  });

  it('that is not there is complained of once', async () => {
    let tries = 0;
    monitor = new ResolvedMonitor({
      connect: () => {
        tries += 1;
        return Promise.reject(new Fault('network', 'there is none'));
      },
      note: (message, { trouble = '' }) => notes.push(`${message} ${trouble}`),
      now: Date.now,
    });
    await until(() => tries === 2);
    assert.deepEqual(notes, ['not listening to what programs look up there is none']);
  });
});
