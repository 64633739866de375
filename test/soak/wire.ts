// An ear on the wire at the servers' side for the whole run: tcpdump writes one small file after the other, and each is searched for
// what must never be read there, and removed.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { login } from '../lab/harness/account.js';
import { sleep, start, waitFor, type Running } from '../lab/harness/command.js';
import { serverDevice } from '../lab/harness/network.js';
import { marker } from '../lab/harness/payload.js';
import { inspect, type Secret } from '../lab/harness/pcap.js';

/** Enough for a command line, and for the marker of the files in the first packet of each data connection and in many others. */
const kept = 300;
const fileMegabytes = 25;
const everyMs = 3000;

const secrets: readonly Secret[] = [
  { name: 'password', bytes: Buffer.from(login.password) },
  { name: 'user', bytes: Buffer.from(`USER ${login.user}`) },
  { name: 'file content', bytes: marker },
];

export interface WireSummary {
  readonly packets: number;
  readonly connections: number;
  /** Packets that the kernel did not hand over. */
  readonly dropped: number;
  /** What was read, and where. */
  readonly sightings: readonly string[];
}

export class Wire {
  readonly #folder: string;
  readonly #tcpdump: Running;
  readonly #timer: NodeJS.Timeout;
  readonly #sightings = new Set<string>();
  #packets = 0;
  #connections = 0;

  private constructor(folder: string, tcpdump: Running) {
    this.#folder = folder;
    this.#tcpdump = tcpdump;
    this.#timer = setInterval(() => {
      this.#readAllBut(1);
    }, everyMs);
  }

  /** Listens on the server host for packets of these addresses, each of which must be secured. */
  static async tap(srv: string, folder: string, addresses: readonly string[]): Promise<Wire> {
    mkdirSync(folder);
    const filter = `tcp and (${addresses.map((address) => `host ${address}`).join(' or ')})`;
    const options = ['-n', '-i', await serverDevice(srv), '-s', String(kept), '-B', '16384', '-Z', 'root'];
    options.push('-C', String(fileMegabytes), '-w', path.join(folder, 'wire'));
    const tcpdump = start({ namespace: srv }, ['tcpdump', ...options, filter]);
    await waitFor(
      () => `tcpdump: ${tcpdump.stderr()}`,
      () => tcpdump.stderr().includes('listening on'),
    );
    return new Wire(folder, tcpdump);
  }

  async finish(): Promise<WireSummary> {
    clearInterval(this.#timer);
    // What the kernel has queued is lost to a process that ends at once.
    await sleep(1200);
    this.#tcpdump.child.kill('SIGINT');
    await this.#tcpdump.ended;
    this.#readAllBut(0);
    const dropped = /(\d+) packets dropped by kernel/.exec(this.#tcpdump.stderr())?.[1];
    return {
      packets: this.#packets,
      connections: this.#connections,
      dropped: Number(dropped ?? Number.NaN),
      sightings: [...this.#sightings],
    };
  }

  /** The newest file is still being written: `wire`, `wire1`, `wire2` … */
  #readAllBut(newest: number): void {
    const files = readdirSync(this.#folder).sort((a, b) => numberOf(a) - numberOf(b));
    for (const name of files.slice(0, files.length - newest)) {
      const file = path.join(this.#folder, name);
      const report = inspect(file, secrets);
      rmSync(file);
      this.#packets += report.packets;
      this.#connections += report.flows.length;
      for (const [secret, places] of report.sightings)
        for (const place of places) this.#sightings.add(`${secret} in ${place}`);
    }
  }
}

function numberOf(name: string): number {
  return Number(name.slice('wire'.length));
}
