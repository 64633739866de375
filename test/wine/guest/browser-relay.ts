// An HTTP proxy inside Windows, for a browser of this machine: the manager answers its own person's programs alone, and Windows doesn't
// know those outside. Prints its port.
import { createServer, request } from 'node:http';

const server = createServer((asked, answer) => {
  const url = new URL(asked.url ?? '/');
  const { method, headers } = asked;
  const options = {
    host: url.hostname,
    port: url.port,
    path: `${url.pathname}${url.search}`,
    method,
    headers,
  };
  const onward = request(options, (got) => {
    answer.writeHead(got.statusCode ?? 502, got.headers);
    got.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  answer.on('close', () => onward.destroy());
  asked.pipe(onward);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`port ${typeof address === 'object' && address !== null ? address.port : 0}.\n`);
});
