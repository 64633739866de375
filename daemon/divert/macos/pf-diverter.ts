// The redirect layer of macOS: keeps one pf anchor equal to the plan and asks pf where a connection was going. Unrun: golden tests
// hold the text and the calls, no Mac has carried them out (docs/macos.md). The rules outlive this process: FTP is refused then.
import { Fault } from '../../../shared/fault.js';
import { CallQueue } from '../call-queue.js';
import type { AcceptedEnds, ConnectionOrigin, DivertPlan, Diverter } from '../diverter.js';
import { DIOCNATLOOK, formatNatlook, readNatlook } from './natlook.js';
import { ANCHOR, formatAnchor } from './pf-anchor.js';
import { openPfDevice, type PfDevice } from './pf-device.js';
import { pfctlProgram, type Pfctl } from './pfctl.js';

/** The two ways to the kernel. A test gives its own and sees every call. */
export interface PfTools {
  readonly pfctl: Pfctl;
  readonly openDevice: () => PfDevice;
}

/** Calls are carried out one after the other. Needs root. */
export class PfDiverter implements Diverter {
  readonly name = 'pf';
  readonly #tools: PfTools;
  readonly #calls = new CallQueue();
  #device: PfDevice | undefined;
  /** What pf gave for our wish that it be on; it goes off again with the last such wish. */
  #token: string | undefined;

  constructor(tools: PfTools = { pfctl: pfctlProgram(), openDevice: openPfDevice }) {
    this.#tools = tools;
  }

  apply(plan: DivertPlan): Promise<void> {
    return this.#calls.run(async () => {
      const { pfctl, openDevice } = this.#tools;
      this.#device ??= openDevice();
      await this.#requireHooks();
      await this.#load(formatAnchor(plan));
      this.#token ??= tokenIn(await pfctl(['-E']));
    });
  }

  /** Connections that were redirected have a state of their own in pf and go on without the rules. */
  drain(): Promise<void> {
    return this.#calls.run(() => this.#load('\n'));
  }

  clear(): Promise<void> {
    return this.#calls.run(async () => {
      const { pfctl } = this.#tools;
      for (const part of ['nat', 'rules', 'Tables']) await pfctl(['-a', ANCHOR, '-F', part]);
      if (this.#token !== undefined) await pfctl(['-X', this.#token]);
      this.#token = undefined;
      this.#device?.close();
      this.#device = undefined;
    });
  }

  /** pf tells no user. */
  originOf(ends: AcceptedEnds): ConnectionOrigin | undefined {
    const question = formatNatlook(ends);
    if (question === undefined || this.#device?.ask(DIOCNATLOOK, question) !== 0) return undefined;
    const server = readNatlook(question);
    if (server === undefined || isSame(server, ends.local)) return undefined;
    return { client: ends.peer, server, uid: undefined };
  }

  async #load(rules: string): Promise<void> {
    await this.#tools.pfctl(['-a', ANCHOR, '-f', '-'], rules);
  }

  /** Rules that nobody evaluates would look in force, and FTP would leave in clear. */
  async #requireHooks(): Promise<void> {
    const { pfctl } = this.#tools;
    const missing = [
      ...(/^rdr-anchor "com\.apple\/\*"/m.test(await pfctl(['-s', 'nat']))
        ? []
        : ['rdr-anchor "com.apple/*"']),
      ...(/^anchor "com\.apple\/\*"/m.test(await pfctl(['-s', 'rules'])) ? [] : ['anchor "com.apple/*"']),
    ];
    if (missing.length === 0) return;
    throw new Fault(
      'redirect',
      `The pf rules of this Mac lack ${missing.join(' and ')}, under which ftpseal’s would stand, so connections can’t be ` +
        'redirected. Was /etc/pf.conf changed? Put that line back where Apple has it, and run: sudo pfctl -f /etc/pf.conf',
    );
  }
}

function tokenIn(printed: string): string {
  const token = /Token : ([0-9]+)/.exec(printed)?.[1];
  if (token !== undefined) return token;
  throw new Fault(
    'redirect',
    'pf could not be switched on, so connections can’t be redirected.',
    new Error(printed),
  );
}

function isSame(a: AcceptedEnds['local'], b: AcceptedEnds['local']): boolean {
  return a.address === b.address && a.port === b.port;
}
