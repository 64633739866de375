// TLS by direct calls under damaged answers of a real server. What could go wrong there is memory: the process would die. So it is
// enough that each connection comes to an end, by a link or by one fault. FTPSEAL_SEED=n repeats a run, FTPSEAL_FUZZ_RUNS=n goes further.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, describe, it } from 'node:test';
import { Fault } from '../../shared/fault.js';
import { pump } from '../../daemon/relay/data-pump.js';
import { openDirectControl } from '../../daemon/relay/direct/direct-control.js';
import { openDirectTls } from '../../daemon/relay/direct/direct-tls.js';
import { makeCertificates } from '../daemon/relay/certificate-fixture.js';
import { connectClient, dial, listen, payload, serveTls } from '../daemon/relay/socket-fixture.js';
import { Dice, mutate } from './mutate.js';

const runs = Math.min(Number(process.env['FTPSEAL_FUZZ_RUNS'] ?? 150), 20_000);
const seed = Number(process.env['FTPSEAL_SEED'] ?? Date.now() % 1_000_000_000);
const certificates = makeCertificates();
after(certificates.remove);
const base = { host: '192.0.2.1', minVersion: 'TLSv1.2', authorities: certificates.authority } as const;
const unless = process.platform === 'linux' ? {} : { skip: 'OpenSSL is called directly on Linux alone' };

/** Between the client and a real server: damages the server's portions, each with one chance in four. */
async function startDamagingRelay(
  target: number,
  dice: Dice,
): Promise<{ port: number; close: () => Promise<void> }> {
  return listen(
    net.createServer((client) => {
      const server = net.connect(target, '127.0.0.1');
      server.on('error', () => client.destroy());
      client.on('close', () => server.destroy());
      client.pipe(server);
      server.on('data', (bytes: Buffer) => client.write(dice.below(4) === 0 ? mutate([bytes], dice) : bytes));
      server.on('end', () => client.end());
    }),
  );
}

describe(`TLS by direct calls, damaged (seed ${seed})`, unless, () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(version, async () => {
      const dice = new Dice(seed);
      const server = await serveTls(
        certificates.server,
        { minVersion: version, maxVersion: version },
        (socket) => {
          socket.end(payload(50_000)).resume();
        },
      );
      const relay = await startDamagingRelay(server.port, dice);
      const ends = { downloads: 0, whole: 0, controls: 0 };
      for (let turn = 0; turn < runs; turn += 1) {
        if (turn % 3 === 0) ends.controls += await readControl(relay.port);
        else {
          const kind = await download(relay.port);
          ends.downloads += kind === undefined ? 0 : 1;
          ends.whole += kind === 'complete' ? 1 : 0;
        }
      }
      console.log(`fuzz: direct ${version}: ${runs} connections, ${JSON.stringify(ends)}, seed ${seed}`);
      assert.ok(ends.downloads > 0 && ends.controls > 0, 'none got through its handshake');
      await relay.close();
      await server.close();
    });
  }
});

/** 1 if the handshake was done. */
async function readControl(port: number): Promise<number> {
  const control = openDirectControl(await dial(port), { ...base, handshakeMs: 500 });
  assert.ok(control !== undefined);
  const established = await control.established.then(
    () => true,
    (error: unknown) => {
      assert.ok(error instanceof Fault);
      return false;
    },
  );
  control.stream.resume();
  if (established && !control.stream.closed) {
    const timer = setTimeout(() => control.stream.destroy(), 500);
    control.stream.on('end', () => control.stream.destroy());
    await new Promise((resolve) => control.stream.once('close', resolve));
    clearTimeout(timer);
  }
  return established ? 1 : 0;
}

/** How the transfer ended, if there was one. */
async function download(port: number): Promise<string | undefined> {
  const data = openDirectTls(await dial(port, 'bulk'), { ...base, handshakeMs: 500 });
  assert.ok(data !== undefined);
  data.begin();
  const link = await data.link.catch((error: unknown) => {
    assert.ok(error instanceof Fault);
  });
  if (link === undefined) return undefined;
  const { near, far, close } = await connectClient();
  far.resume();
  const options = { direction: 'download', onBytes: () => undefined, stallMs: 500, peerCloseMs: 50 } as const;
  const { kind, bytes } = await pump({ client: near, server: link, ...options });
  if (kind === 'complete') assert.equal(bytes, 50_000);
  far.destroy();
  await close();
  return kind;
}
