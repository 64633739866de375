// The page of the packet engine's figures.
import { drawBars } from '../report/bars.js';
import type { Sheet } from '../report/sheet.js';

export const engineSheet: Sheet = {
  name: 'engine',
  title: 'the packet engine of Windows',
  about: 'the packet engine of Windows over a TUN device, beside the kernel’s redirect',
  contenders: {
    tun: 'the packet engine, fed by a TUN device of Linux (`divert.layer = "tun"`)',
    nftables: 'the redirect that Linux uses',
    plain: 'no redirect: from host to host, the measure of the field itself',
  },
  subject: 'tun',
  references: ['nftables', 'plain'],
  goals: [],
  programs: ['Node'],
  cpuOf: 'the layer’s process',
  conditions: ({ sizes }) => {
    const of = (name: string): number => sizes[name] ?? 0;
    return [
      `One connection of ${of('bulkBytes') / 2 ** 20} MiB from a program that only sends to one that only counts, without FTP and TLS.`,
      `A packet: 1000 bytes of data, ${of('connections')} open connections in turn, processor time, no I/O.`,
    ];
  },
  tables: () => [],
  pictures: drawBars,
  notes: `- With \`tun\` and \`nftables\` the bytes come from a program on the client's own machine, where a worker of the proxy would be; with \`plain\` they
  cross from one network namespace to another. So \`nftables\` may be faster than \`plain\`: loopback has packets of 64 KiB.
- The TUN device has an MTU of 9000 and takes one system call for each packet in each direction; most of its time is the kernel's. WinDivert
  reads and sends up to 255 packets a call. So this says what the loop and the engine can do, not what Windows will do: **nothing here was measured on Windows.**
- What the kernel does for a packet of \`nftables\` is in no process, so its CPU seconds are near nothing.
- Sizes and speeds depend on the machine; compare the ratios.`,
};
