// Eavesdropping on the wire between the hosts: tcpdump on the server's side.
import { start, waitFor } from './command.js';
import { serverDevice } from './network.js';
import { inspect, type Secret, type WireReport } from './pcap.js';

/** The bytes kept of each packet. Lab files carry their marker in every kibibyte, so this much always holds one. */
const kept = 1600;

/** A running capture. */
export interface Capture {
  readonly file: string;
  /** Ends the capture; reports what was seen, and how many packets the kernel did not hand over. */
  finish(secrets: readonly Secret[]): Promise<WireReport & { readonly dropped: number }>;
}

/** Captures the TCP packets of the given server addresses at the server host `srv` into `file`. */
export async function capture(srv: string, file: string, addresses: readonly string[]): Promise<Capture> {
  const hosts = addresses.map((address) => `host ${address}`).join(' or ');
  const filter = `tcp and (${hosts})`;
  const options = ['-n', '-i', await serverDevice(srv), '-s', String(kept), '-B', '65536', '-Z', 'root'];
  const tcpdump = start({ namespace: srv }, ['tcpdump', ...options, '-w', file, filter]);
  await waitFor(
    () => `tcpdump: ${tcpdump.stderr()}`,
    () => tcpdump.stderr().includes('listening on'),
  );
  return {
    file,
    finish: async (secrets) => {
      // What the kernel has queued is lost to a process that ends at once; SIGINT drains nothing by itself.
      await new Promise((resolve) => setTimeout(resolve, 1200));
      tcpdump.child.kill('SIGINT');
      await tcpdump.ended;
      const dropped = Number(/(\d+) packets dropped by kernel/.exec(tcpdump.stderr())?.[1] ?? Number.NaN);
      return { ...inspect(file, secrets), dropped };
    },
  };
}
