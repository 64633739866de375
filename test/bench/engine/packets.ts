// What the packet engine costs without any I/O: processor time for each packet of open connections. A program of its own, so that no
// other work of the benchmark shares its heap and its compiled code.
//   node dist/test/bench/engine/packets.js 4|6 connections batches
import { Reflection } from '../../../daemon/divert/windows/reflection.js';
import { Rules } from '../../../daemon/divert/windows/rules.js';
import { plan } from '../../daemon/divert/plan-fixture.js';
import { flag, packet } from '../../daemon/divert/windows/packet-fixture.js';
import { median } from '../statistics.js';

/** The loop is compiled by the first of them. */
const runs = 5;

/** Nanoseconds of processor time a packet. The packets of a batch are put back by one copy, which is measured apart and taken off. */
function nanosecondsPerPacket(family: 4 | 6, connections: number, batches: number): number {
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
    // Only their sum is exact: the kernel shares it out by what each tick happened to meet.
    const { user, system } = process.cpuUsage(started);
    return ((user + system) * 1000) / (batches * connections);
  };
  round(true);
  return median(Array.from({ length: runs }, () => round(true) - round(false)));
}

const [family, connections, batches] = process.argv.slice(2).map(Number);
process.stdout.write(
  String(nanosecondsPerPacket(family === 6 ? 6 : 4, connections ?? 1000, batches ?? 2000)),
);
