// For the first person with a Mac (docs/macos.md): loads the pf rules, answers every caught FTP connection with where it was
// going, and removes the rules after five minutes or at Ctrl-C. Secures nothing. Unrun.
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

if (process.platform !== 'darwin' || process.geteuid() !== 0) {
  console.error('This is for macOS, as root: sudo node installers/macos/try.mjs [UID that is left alone]');
  process.exit(1);
}
const { PfDiverter } = await import('../../dist/daemon/divert/macos/pf-diverter.js');
const { ANCHOR, formatAnchor } = await import('../../dist/daemon/divert/macos/pf-anchor.js');

const plan = {
  ports: [21],
  proxyUid: Number(process.argv[2] ?? 21021),
  workers: [{ control: 31100, data: 31101, virtual: { first: 21210, last: 23209 } }],
  exemptUids: [],
  exemptNets: [],
  servers: [],
  onFailure: 'closed',
};
const diverter = new PfDiverter();
const listeners = ['127.0.0.1', '::1'].map((host) => createServer(answer).listen(31100, host));
const stopped = new Promise((resolve) => process.once('SIGINT', resolve));
try {
  await diverter.apply(plan);
  console.log(
    `pf holds in the anchor ${ANCHOR}:\n\n${formatAnchor(plan)}\nFor five minutes; Ctrl-C ends it.`,
  );
  await Promise.race([stopped, sleep(300_000, undefined, { ref: false })]);
} catch (error) {
  console.error(error.message, error.cause ?? '');
  process.exitCode = 1;
} finally {
  await diverter.clear();
  for (const listener of listeners) listener.close();
  console.log('The rules are gone.');
}

function answer(socket) {
  const peer = { address: socket.remoteAddress, port: socket.remotePort };
  const local = { address: socket.localAddress, port: socket.localPort };
  const origin = diverter.originOf({ peer, local });
  const found = origin === undefined ? 'unknown' : `${origin.server.address} port ${origin.server.port}`;
  console.log(`from ${peer.address} port ${peer.port}: going to ${found}`);
  socket.on('error', () => undefined).end(`220 caught on the way to ${found}\r\n`);
}
