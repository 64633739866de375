// The man in the middle, as a program on the routing host: every TCP connection of the client's host is redirected to it, and
// it makes the connection to the server itself. Plans come as JSON lines on standard input, reports go to standard output.
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { originalDestination } from '../../../daemon/sys/original-destination.js';
import { planSchema, type Plan, type Report } from './middle-plan.js';
import { Cutter, type Place } from './tls-records.js';

const listenAt = Number(process.argv[2]);
let plan: Plan = { control: { kind: 'pass' }, data: { kind: 'pass' } };

function report(entry: Report): void {
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  plan = planSchema.parse(JSON.parse(line));
  report({ kind: 'planned' });
});

createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const target = originalDestination(client);
  if (target === undefined) {
    client.destroy();
    return;
  }
  report({ kind: 'connection', to: `${target.address} ${target.port}` });
  client.on('error', () => client.destroy());
  const { control, data } = plan;
  const dial = (): Socket => dialTo(target.address, target.port);
  if (target.port === 21) meddleWithControl(client, dial(), control);
  else if (data.kind === 'impersonate') impersonate(client, dial(), data);
  else if (data.kind === 'steal') steal(client, dial, data.tls);
  else meddleWithData(client, dial(), data);
}).listen(listenAt, '::', () => {
  report({ kind: 'ready' });
});

function dialTo(host: string, port: number): Socket {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  socket.on('error', () => socket.destroy());
  return socket;
}

/** One direction, byte for byte; the end is passed on, and so is a break. */
function relay(from: Socket, to: Socket): void {
  from.on('close', (hadError) => {
    if (hadError) to.resetAndDestroy();
  });
  from.pipe(to);
}

// Control connections

function meddleWithControl(client: Socket, server: Socket, control: Plan['control']): void {
  let isFirst = true;
  let isOurs = false;
  client.on('data', (bytes) => {
    const text = bytes.toString('latin1');
    const isAuth = /^AUTH /im.test(text);
    const heard = /^(?:USER|PASS|ACCT) .*/im.exec(text)?.[0];
    if (heard !== undefined) report({ kind: 'heard', line: heard });
    if (control.kind === 'answerAuth' && (isAuth || isOurs)) {
      client.write(isOurs ? control.then : control.text);
      isOurs = true;
    } else if (control.kind === 'refuseTls' && /^AUTH (?:TLS|SSL)/im.test(text)) client.write(control.text);
    else if (isAuth && control.kind === 'hangUpOnAuth') client.destroy();
    else if (isAuth && control.kind === 'garbleAuth')
      server.write(Buffer.from(text.replace(/^AUTH /im, 'ATUH '), 'latin1'));
    else server.write(bytes);
  });
  server.on('data', (bytes) => {
    const text = bytes.toString('latin1');
    if (isFirst && control.kind === 'greet') client.write(control.text);
    else if (control.kind === 'injectAfter234' && text.startsWith('234'))
      client.write(Buffer.from(text + control.text, 'latin1'));
    else client.write(bytes);
    isFirst = false;
  });
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on('end', () => other.end());
    one.on('close', () => other.destroy());
  }
}

// Data connections

function meddleWithData(client: Socket, server: Socket, data: Plan['data']): void {
  if (data.kind === 'cut' && data.stream === 'download') cutDownload(client, server, data.at, data.how);
  else if (data.kind === 'cut') cutUpload(client, server, data.at, data.how);
  else if (data.kind === 'swallowEnd') swallowEnd(client, server, data.at);
  else {
    relay(client, server);
    relay(server, client);
  }
}

/** The server sends all of it into the void and is content. */
function cutDownload(client: Socket, server: Socket, at: Place, how: 'FIN' | 'RST'): void {
  const cutter = new Cutter(at);
  let isCut = false;
  client.on('data', (bytes) => server.write(bytes));
  client.on('end', () => server.end());
  server.on('data', (bytes) => {
    if (isCut) return;
    const { pass, cut } = cutter.push(bytes);
    isCut = cut;
    client.write(pass, () => {
      if (!cut) return;
      breakOff(client, how);
      // vsftpd waits for the other side's end before it says 226.
      server.end();
    });
  });
}

/** The server takes what came for the whole of it, if it is one that does. */
function cutUpload(client: Socket, server: Socket, at: Place, how: 'FIN' | 'RST'): void {
  const cutter = new Cutter(at);
  let isCut = false;
  server.on('data', (bytes) => {
    if (!isCut) client.write(bytes);
  });
  client.on('data', (bytes) => {
    if (isCut) return;
    const { pass, cut } = cutter.push(bytes);
    isCut = cut;
    server.write(pass);
    if (!cut) return;
    server.end();
    breakOff(client, how);
    client.pause();
  });
  client.on('end', () => server.end());
}

/** Everything behind the place is lost, and both sides hear that all is well. */
function swallowEnd(client: Socket, server: Socket, at: Place): void {
  const cutter = new Cutter(at);
  let isCut = false;
  server.on('data', (bytes) => client.write(bytes));
  client.on('data', (bytes) => {
    if (isCut) return;
    const { pass, cut } = cutter.push(bytes);
    isCut = cut;
    server.write(pass);
  });
  client.on('end', () => {
    report({ kind: 'cut' });
    server.end();
    client.end();
  });
}

function breakOff(client: Socket, how: 'FIN' | 'RST'): void {
  report({ kind: 'cut' });
  if (how === 'RST') client.resetAndDestroy();
  else client.end();
}

function impersonate(
  client: Socket,
  server: Socket,
  data: Extract<Plan['data'], { kind: 'impersonate' }>,
): void {
  // The server would wait a minute for somebody to come.
  server.once('connect', () => server.destroy());
  const secure = new TLSSocket(client, {
    isServer: true,
    cert: readFileSync(data.certificate),
    key: readFileSync(data.key),
  });
  for (const event of ['error', 'end', 'close']) secure.on(event, () => client.destroy());
  readAll(secure, client);
  secure.end(data.content);
}

function steal(client: Socket, dial: () => Socket, tls: boolean): void {
  const thief = dial();
  thief.once('connect', () => {
    const stream = tls ? connectTls({ socket: thief, rejectUnauthorized: false }) : thief;
    stream.on('error', () => thief.destroy());
    stream.on('end', () => stream.end());
    readAll(stream, thief);
    // Without a word vsftpd would wait for TLS.
    if (!tls) stream.write('Hello?\r\n');
    const server = dial();
    relay(client, server);
    relay(server, client);
  });
}

function readAll(stream: Socket, socket: Socket): void {
  let text = '';
  stream.on('data', (bytes: Buffer) => {
    text = (text + bytes.toString('latin1')).slice(0, 10_000);
  });
  socket.once('close', () => {
    report({ kind: 'read', text });
  });
}
