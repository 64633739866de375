// Figures of the packet engine, asserted by nobody: processor time a packet without any I/O, and, as root, one bulk connection through
// the TUN layer, through the kernel's redirect and through neither, in turn.
//   node dist/test/bench/packet-engine.js [rounds]
import { spawn } from 'node:child_process';
import net from 'node:net';
import { Reflection } from '../../daemon/divert/windows/reflection.js';
import { Rules } from '../../daemon/divert/windows/rules.js';
import { plan } from '../daemon/divert/plan-fixture.js';
import { flag, packet } from '../daemon/divert/windows/packet-fixture.js';
import { argvAt, must } from '../lab/harness/command.js';
import { openNetwork } from '../lab/harness/network.js';
import { startAgent } from '../lab/redirect/agent-process.js';
import { stagedProgram } from '../lab/redirect/staged.js';
import type { Agent } from '../lab/redirect/agent-process.js';

const connections = 1000;
const batches = 2000;
const bulkBytes = 512 * 1024 * 1024;
const proxyUid = 21021;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Nanoseconds of processor time a packet, so that a busy machine does not count; the packets of a batch are put back by one copy, which is measured apart and taken off. */
function nanosecondsPerPacket(family: 4 | 6): number {
  const [from, to] = family === 4 ? ['10.0.0.1', '192.0.2.9'] : ['fd00::1', '2001:db8::9'];
  const reflection = new Reflection({ ownerOf: () => 1000, onOpened: () => 0, onClosed: () => 0 });
  reflection.setRules(new Rules(plan()));
  const words = { from, to, toPort: 21, payload: Buffer.alloc(1000) };
  const packets = Array.from({ length: connections }, (_, index) => {
    const one = { ...words, fromPort: 32_768 + index };
    const syn = packet({ ...one, flags: flag.syn });
    reflection.translate(syn, 0, syn.length, 0, 'adjust');
    return packet(one);
  });
  const size = packets[0]?.length ?? 0;
  const template = Buffer.concat(packets);
  const bytes = Buffer.from(template);
  const round = (judge: boolean): number => {
    const started = process.cpuUsage();
    for (let batch = 0; batch < batches; batch += 1) {
      template.copy(bytes);
      if (!judge) continue;
      for (let at = 0; at < bytes.length; at += size) reflection.translate(bytes, at, size, batch, 'adjust');
    }
    return (process.cpuUsage(started).user * 1000) / (batches * connections);
  };
  round(true);
  return median([1, 2, 3, 4, 5].map(() => round(true) - round(false)));
}

/** Sends `bulkBytes` to whoever connects. */
function source(port: number): void {
  const piece = Buffer.alloc(262_144, 1);
  net
    .createServer((socket) => {
      let left = bulkBytes;
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

/** Takes everything and prints the megabytes a second. */
function sink(host: string, port: number): void {
  const started = performance.now();
  let got = 0;
  net
    .connect(port, host)
    .on('data', (data) => (got += data.length))
    .on('end', () => {
      process.stdout.write(String(got / 1000 / (performance.now() - started)));
    });
}

/** One round of one layer; the source stands in for the proxy, or for the server where nothing is redirected. */
async function throughput(pc: string, host: string, layer: Agent | undefined): Promise<number> {
  if (layer !== undefined) await layer.ask({ kind: 'apply', plan: plan() });
  const self = stagedProgram('../../bench/packet-engine.js');
  const measured = await must({ namespace: pc, uid: 30_001 }, [process.execPath, self, 'sink', host, '21']);
  if (layer !== undefined) await layer.ask({ kind: 'clear' });
  return Number(measured);
}

async function compareLayers(rounds: number): Promise<void> {
  const network = await openNetwork();
  const { ipv4 } = network.nextAddress();
  const self = stagedProgram('../../bench/packet-engine.js');
  const sources = [
    { namespace: network.srv, uid: undefined, port: 21 },
    ...[31_100, 31_108].map((port) => ({ namespace: network.pc, uid: proxyUid, port })),
  ].map(({ namespace, uid, port }) => {
    const [program = '', ...argv] = argvAt({ namespace, uid }, [
      process.execPath,
      self,
      'source',
      String(port),
    ]);
    return spawn(program, argv, { stdio: 'inherit' });
  });
  const layers = {
    'packet engine over TUN': startAgent(network.pc, { layer: 'tun' }),
    'redirect of the kernel': startAgent(network.pc),
    'no redirect': undefined,
  };
  const results = new Map<string, number[]>(Object.keys(layers).map((name) => [name, []]));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, layer] of Object.entries(layers)) {
      results.get(name)?.push(await throughput(network.pc, ipv4, layer));
    }
  }
  for (const [name, values] of results) {
    console.log(`${name}: ${median(values).toFixed(0)} MB/s (${values.map((v) => v.toFixed(0)).join(', ')})`);
  }
  for (const child of sources) child.kill();
  for (const layer of Object.values(layers)) await layer?.kill();
  await network.close();
}

const [, , word = '3', ...rest] = process.argv;
if (word === 'source') source(Number(rest[0]));
else if (word === 'sink') sink(rest[0] ?? '', Number(rest[1]));
else {
  for (const family of [4, 6] as const) {
    console.log(
      `IPv${family}: ${nanosecondsPerPacket(family).toFixed(0)} ns a packet, ${connections} connections`,
    );
  }
  if (process.geteuid?.() === 0) await compareLayers(Number(word));
  else console.log('the layers are compared by root only');
}
