// A plain FTP server for one client at a time, over real sockets: one file to fetch, one place to store, passive mode alone. It tells how
// each data connection ended, for that is what a server behind a proxy has to go by.
import net from 'node:net';
import { once } from 'node:events';
import { LineReader } from '../../../daemon/ftp/line-reader.js';
import { listen, readAll, type Listener } from '../relay/socket-fixture.js';

/** What the backend made of an upload. */
export interface Stored {
  readonly bytes: Buffer;
  /** In order; false for a reset. */
  readonly ended: boolean;
}

export interface PlainBackend extends Listener {
  readonly lines: readonly string[];
  readonly stored: readonly Stored[];
}

export async function startBackend(file: Buffer): Promise<PlainBackend> {
  const record = { lines: [] as string[], stored: [] as Stored[] };
  const listener = await listen(
    net.createServer((socket) => {
      serve(socket, file, record);
    }),
  );
  return { ...listener, ...record };
}

function serve(
  socket: net.Socket,
  file: Buffer,
  { lines, stored }: { readonly lines: string[]; readonly stored: Stored[] },
): void {
  const reader = new LineReader(16_384);
  const say = (text: string): void => {
    if (socket.writable) socket.write(`${text}\r\n`);
  };
  let data: Promise<net.Socket> | undefined;
  const onLine = async (line: string): Promise<void> => {
    lines.push(line);
    const [verb = ''] = line.split(' ');
    if (verb === 'EPSV') {
      const server = net.createServer({ allowHalfOpen: true });
      const { port } = await listen(server);
      const over = (): void => void server.close();
      socket.once('close', over);
      data = once(server, 'connection').then(([one]) => {
        over();
        return one as net.Socket;
      });
      say(`229 ok (|||${port}|)`);
    } else if (data !== undefined && (verb === 'RETR' || verb === 'STOR')) {
      say('150 go on');
      const one = await data;
      if (verb === 'RETR') {
        one.end(file);
        await once(one.resume(), 'close');
        say('226 done');
      } else {
        const got = await readAll(one);
        stored.push(got);
        one.end();
        say(got.ended ? '226 done' : '426 cut');
      }
    } else say(REPLIES[verb] ?? '200 ok');
  };
  socket.on('data', (bytes) => {
    reader.push(bytes);
    for (let read = reader.read(); read.kind === 'line'; read = reader.read())
      void onLine(read.raw.toString('latin1').trimEnd());
  });
  say('220 ready');
}

const REPLIES: Readonly<Record<string, string>> = { USER: '331 word', PASS: '230 in', ABOR: '226 ok' };
