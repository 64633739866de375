// An old FTP program of Windows: logs in at 127.0.0.1, gets one file in passive mode, and prints what it was told.
//   port user password file
import { connect, type Socket } from 'node:net';

const [port = '', user = '', password = '', file = ''] = process.argv.slice(2);
const replies: string[] = [];

/** One reply's last line. */
function replyOf(socket: Socket, pending: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const last = pending.findIndex((line) => /^[0-9]{3} /.test(line));
      if (last < 0) return;
      socket.off('lines', look);
      const [line = ''] = pending.splice(0, last + 1).slice(-1);
      replies.push(line);
      resolve(line);
    };
    socket.on('lines', look);
    socket.once('close', () => {
      reject(new Error(`closed after: ${replies.join(' | ')}`));
    });
    look();
  });
}

const socket = connect(Number(port), '127.0.0.1');
const pending: string[] = [];
let rest = '';
socket.setEncoding('latin1').on('data', (text: string) => {
  const lines = (rest + text).split('\r\n');
  rest = lines.pop() ?? '';
  pending.push(...lines);
  socket.emit('lines');
});
const say = (line: string): Promise<string> => {
  socket.write(`${line}\r\n`);
  return replyOf(socket, pending);
};

await replyOf(socket, pending);
await say(`USER ${user}`);
await say(`PASS ${password}`);
await say('TYPE I');
const numbers = (/\(([0-9,]+)\)/.exec(await say('PASV'))?.[1] ?? '').split(',').map(Number);
const data = connect((numbers[4] ?? 0) * 256 + (numbers[5] ?? 0), numbers.slice(0, 4).join('.'));
let content = '';
data.setEncoding('utf8').on('data', (text: string) => (content += text));
const ended = new Promise((resolve) => data.once('end', resolve));
await say(`RETR ${file}`);
await ended;
await replyOf(socket, pending);
await say('QUIT');
process.stdout.write(JSON.stringify({ replies, content }));
process.exit(0);
