// The kernel's TCP for the stand-in driver: run on a lab host as root, it reads packets from a TUN device and prints them as the
// stand-in's messages, and carries out those on its standard input. With the argument `listen` it is itself the network of a
// stand-in on its host. Plans (the TUN layer's rules) come over the 'ipc' channel.
import { once } from 'node:events';
import net from 'node:net';
import type { Writable } from 'node:stream';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { nftCommand } from '../../../daemon/divert/linux/nft-command.js';
import {
  openRawSocket,
  openTun,
  openWakeup,
  sendPacket,
  writePacket,
} from '../../../daemon/divert/tun/kernel.js';
import { connectDevice, disconnectDevice } from '../../../daemon/divert/tun/machine.js';
import { PASSED, formatTunRules } from '../../../daemon/divert/tun/tun-rules.js';
import { TunSource, type TunFiles } from '../../../daemon/divert/tun/tun-source.js';
import { AF_INET, AF_INET6 } from '../../../daemon/sys/sockaddr.js';
import { OUTBOUND, arrivalMessage, messagesIn } from './messages.js';
import type { DivertPlan } from '../../../daemon/divert/diverter.js';

function readForever(files: TunFiles): void {
  const source = new TunSource(files);
  for (;;) {
    const count = source.receive(1000) ?? 0;
    const { bytes, offsets, lengths } = source.batch;
    const packets = Array.from({ length: count }, (_, index) => {
      const at = offsets[index] ?? 0;
      return Buffer.from(bytes.subarray(at, at + (lengths[index] ?? 0)));
    });
    if (count > 0) parentPort?.postMessage(arrivalMessage(packets));
  }
}

/** What the driver has sent goes in by the device or out by a socket whose packets are not sent to the device again. */
function carryOut(files: TunFiles, flags: number, bytes: Buffer): void {
  const to4 = Buffer.alloc(16);
  const to6 = Buffer.alloc(28);
  to4.writeUInt16LE(AF_INET, 0);
  to6.writeUInt16LE(AF_INET6, 0);
  if ((flags & OUTBOUND) === 0) {
    writePacket(files.tun, bytes, bytes.length);
  } else if ((bytes[0] ?? 0) >> 4 === 4) {
    to4.set(bytes.subarray(16, 20), 4);
    sendPacket(files.raw4, bytes, bytes.length, to4);
  } else {
    to6.set(bytes.subarray(24, 40), 8);
    sendPacket(files.raw6, bytes, bytes.length, to6);
  }
}

async function main(): Promise<void> {
  const { fd, name } = openTun('ftpseal%d');
  const files: TunFiles = {
    tun: fd,
    wakeup: openWakeup(),
    raw4: openRawSocket(AF_INET, PASSED),
    raw6: openRawSocket(AF_INET6, PASSED),
  };
  await connectDevice(name);
  let driver: Writable | undefined = process.stdout;
  new Worker(new URL(import.meta.url), { workerData: files }).on('message', (bytes: Uint8Array) => {
    driver?.write(bytes);
  });
  const reader = () =>
    messagesIn(({ kind, flags, bytes }) => {
      if (kind === 'O') driver?.write(Buffer.alloc(4));
      if (kind === 'S' || kind === 'N') carryOut(files, flags, bytes);
    });
  process.stdin.on('data', reader());
  process.on('message', (plan) => {
    const done = plan === 'clear' ? disconnectDevice() : nftCommand().run(formatTunRules(plan as DivertPlan));
    void done.then(() => process.send?.('done'));
  });
  process.on('disconnect', () => {
    process.kill(process.pid, 'SIGKILL');
  });
  if (process.argv[2] !== 'listen') {
    process.send?.('done');
    return;
  }
  driver = undefined;
  const server = net.createServer({ noDelay: true }, (socket) => {
    driver = socket;
    socket.on('data', reader()).on('error', () => undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  process.send?.(server.address());
}

if (isMainThread) await main();
else readForever(workerData as TunFiles);
