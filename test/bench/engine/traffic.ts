// The two ends of a bulk connection for the engine's figures.
//   node traffic.js source port bytes | node traffic.js sink host port
import net from 'node:net';

/** Sends `bytes` to whoever connects. */
function source(port: number, bytes: number): void {
  const piece = Buffer.alloc(262_144, 1);
  net
    .createServer((socket) => {
      let left = bytes;
      const pump = (): void => {
        while (left > 0) {
          left -= piece.length;
          if (!socket.write(piece)) return;
        }
        socket.end();
      };
      socket.on('drain', pump).on('error', () => undefined);
      pump();
    })
    .listen(port, '::');
}

/** Takes everything; prints bytes, milliseconds and its own CPU seconds as JSON. */
function sink(host: string, port: number): void {
  const started = performance.now();
  let bytes = 0;
  net
    .connect(port, host)
    .on('data', (data) => (bytes += data.length))
    .on('end', () => {
      const milliseconds = performance.now() - started;
      const { user, system } = process.cpuUsage();
      process.stdout.write(JSON.stringify({ bytes, milliseconds, cpu: (user + system) / 1e6 }));
    });
}

const [role, a = '', b = ''] = process.argv.slice(2);
if (role === 'source') source(Number(a), Number(b));
else sink(a, Number(b));
