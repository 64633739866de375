// A plain FTP server for one client at a time, over real sockets: one file to fetch, one place to store, passive mode alone. It tells how
// each data connection ended, for that is what a server behind a proxy has to go by.
import net from 'node:net';
import { once } from 'node:events';
import { LineReader } from '../../../daemon/ftp/line-reader.js';
import { endedByReset } from '../../../daemon/sys/socket-error.js';
import { listen, readAll, type Listener } from '../relay/socket-fixture.js';

/** What the backend made of an upload. */
export interface Stored {
  readonly bytes: Buffer;
  /** In order; false for a reset. */
  readonly ended: boolean;
}

/** What `RETR long` gives. */
export const LONG_BYTES = 16_000_000;

const PIECE_BYTES = 100_000;
/** Milliseconds that `STOR never` reads nothing. */
const BUSY_MS = 1500;

export interface PlainBackend extends Listener {
  readonly lines: readonly string[];
  readonly stored: readonly Stored[];
  /** Bytes that the system has taken for `RETR long`. */
  readonly sent: () => number;
}

export async function startBackend(file: Buffer): Promise<PlainBackend> {
  const record: Kept = { lines: [], stored: [], long: [] };
  const listener = await listen(
    net.createServer((socket) => {
      serve(socket, file, record);
    }),
  );
  const sent = (): number => record.long.reduce((sum, one) => sum + one.bytesWritten - one.writableLength, 0);
  return { ...listener, ...record, sent };
}

interface Kept {
  readonly lines: string[];
  readonly stored: Stored[];
  readonly long: net.Socket[];
}

function serve(socket: net.Socket, file: Buffer, { lines, stored, long }: Kept): void {
  const reader = new LineReader(16_384);
  const say = (text: string): void => {
    if (socket.writable) socket.write(`${text}\r\n`);
  };
  let data: Promise<net.Socket> | undefined;
  const onLine = async (line: string): Promise<void> => {
    lines.push(line);
    const [verb = '', name = ''] = line.split(' ');
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
      if (name === 'never') {
        // It learns of an end only when it reads.
        setTimeout(() => one.resume(), BUSY_MS);
        const whole = await endedWhole(one);
        one.destroy();
        say(whole ? '226 done' : '426 cut');
      } else if (verb === 'RETR') {
        if (name === 'long') {
          long.push(one);
          for (let left = LONG_BYTES; left > 0; left -= PIECE_BYTES) one.write(Buffer.alloc(PIECE_BYTES));
        } else one.write(file);
        one.end();
        await closed(one.resume());
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

/** A reset right behind the last bytes is an `end` in Node 20 and no `close` follows, for this socket may stay half open. */
function endedWhole(socket: net.Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('end', () => {
      resolve(!endedByReset(socket));
    });
    socket.once('close', () => {
      resolve(false);
    });
  });
}

/** However it ends. */
function closed(socket: net.Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

const REPLIES: Readonly<Record<string, string>> = { USER: '331 word', PASS: '230 in', ABOR: '226 ok' };
