// `on_failure = "closed"` on Windows. WinDivert's handle dies with its process, and then everything passes. So filters of Windows itself
// refuse FTP, and outlive the process; a heavier one, which Windows takes away with the process, lets it go where the engine takes it.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { familyOf, type PortRange } from '../../../shared/endpoint.js';
import { Fault } from '../../../shared/fault.js';
import { openFilterSession, type FilterSession } from './filtering-platform.js';
import type { Cidr, DivertPlan } from '../diverter.js';
import type { ConnectFilter, FilterTest } from './filter-structures.js';

const SUBLAYER = '03386d00-b051-46b9-9d6d-1e088bb3daaf';
const families = [4, 6] as const;
const keys = {
  control: { 4: 'd7b4af74-fb5b-4278-9586-d5411692c466', 6: '55f1e3e0-e551-4a0c-bc70-c5a129c0cf35' },
  data: { 4: '53bb1d7a-8107-4a00-9021-c58258cc6c81', 6: '22472371-bf63-4630-87d8-d29658c47dd0' },
  exempt: { 4: 'c5d165a4-2265-4ea0-a54e-dc09f4f2621f', 6: '07efb84b-c576-44bf-bc6b-f0055e130ab8' },
  alive: { 4: '40811c4e-6d52-4009-9fc7-8979ccfd7a42', 6: 'f39d7ddd-c406-4e16-8425-cf86d72107da' },
} as const;
const weights = { refuse: 1, exempt: 8, alive: 15 } as const;
const names = {
  refuse: 'ftpseal: FTP is refused while ftpseal does not run (on_failure = "closed")',
  exempt: 'ftpseal: divert.exempt_hosts',
  alive: 'ftpseal runs',
} as const;
const NOTE =
  'FTP is refused while ftpseal does not run (divert.on_failure = "closed"). Start its service, or as an administrator: ftpseal cleanup\r\n';

/**
 * What stays when this process dies: refuses connections to the intercepted ports, and to the virtual data ports of servers with a
 * session, but not to exempt blocks and to this machine. Whose connection it is Windows is not asked: exempt users are refused too.
 */
export function lastingFilters(plan: DivertPlan): readonly ConnectFilter[] {
  return families.flatMap((family) => {
    const filter = (part: keyof typeof keys, tests: readonly FilterTest[]): readonly ConnectFilter[] => {
      const [action, weight] =
        part === 'exempt' ? (['permit', weights.exempt] as const) : (['block', weights.refuse] as const);
      const name = part === 'exempt' ? names.exempt : names.refuse;
      return [{ key: keys[part][family], name, family, action, weight, tests }];
    };
    const nets = netTests(family, plan.exemptNets);
    const servers = netTests(
      family,
      plan.servers.map(({ address }) => ({ address, prefix: family === 4 ? 32 : 128 })),
    );
    const virtual = portTests(plan.workers.map((worker) => worker.virtual));
    const control = portTests(plan.ports.map((port) => ({ first: port, last: port })));
    return [
      ...(control.length === 0 ? [] : filter('control', [tcp, notLoopback, ...control])),
      ...(servers.length === 0 || virtual.length === 0
        ? []
        : filter('data', [tcp, notLoopback, ...virtual, ...servers])),
      ...(nets.length === 0 ? [] : filter('exempt', nets)),
    ];
  });
}

/** Lets everything by that the lasting ones would refuse; of a session for life. */
export function aliveFilters(): readonly ConnectFilter[] {
  return families.map((family) => ({
    key: keys.alive[family],
    name: names.alive,
    family,
    action: 'permit',
    weight: weights.alive,
    tests: [],
  }));
}

const tcp: FilterTest = { kind: 'tcp' };
const notLoopback: FilterTest = { kind: 'notLoopback' };

function portTests(ranges: readonly PortRange[]): readonly FilterTest[] {
  return ranges.map((range): FilterTest => ({ kind: 'remotePorts', range }));
}

function netTests(family: 4 | 6, nets: readonly Cidr[]): readonly FilterTest[] {
  return nets
    .filter((net) => familyOf(net.address) === family)
    .map((net): FilterTest => ({ kind: 'remoteNet', net }));
}

export interface HoldOptions {
  /** A file that is there as long as lasting filters may be: who never used them never meets the platform. */
  readonly note: string;
  readonly open?: (lifetime: 'lasting' | 'for-life') => FilterSession;
  /** Told once if Windows refuses: FTP is open then when the process dies. */
  readonly onRefused: (fault: Fault) => void;
}

/** Not one method throws: a platform that refuses must not keep FTP from being secured. */
export class ClosedHold {
  readonly #options: HoldOptions;
  readonly #open: (lifetime: 'lasting' | 'for-life') => FilterSession;
  #lasting: FilterSession | undefined;
  #alive: FilterSession | undefined;
  #last = '';
  #hasFailed = false;

  constructor(options: HoldOptions) {
    this.#options = options;
    this.#open = options.open ?? openFilterSession;
  }

  /** True if one that has died left its filters: what its sessions still send must not pass. */
  get isLeft(): boolean {
    return this.#lasting === undefined && existsSync(this.#options.note);
  }

  /** From now on FTP is refused unless `letBy` was called; for `open`, nothing is. To be called with every plan. */
  follow(plan: DivertPlan): void {
    if (plan.onFailure === 'open') {
      this.release();
      return;
    }
    const filters = lastingFilters(plan);
    const text = JSON.stringify(filters);
    if (text === this.#last) return;
    this.#attempt(() => {
      this.#refuse(filters);
    });
    this.#last = text;
  }

  /** While this process lives, what `follow` refuses goes where the packet engine takes it. */
  letBy(): void {
    if (this.#lasting === undefined || this.#alive !== undefined) return;
    // Without this one the lasting ones would refuse all FTP.
    if (!this.#attempt(() => (this.#alive = this.#openAlive()))) this.release();
  }

  /** Takes everything away, also what another process has left. */
  release(): void {
    if (this.#lasting === undefined && !existsSync(this.#options.note)) return;
    this.#attempt(() => {
      const lasting = (this.#lasting ??= this.#open('lasting'));
      lasting.change(() => {
        removeAll(lasting);
      });
      this.#alive?.close();
      lasting.removeSublayer(SUBLAYER);
      lasting.close();
      rmSync(this.#options.note, { force: true });
    });
    this.#lasting = undefined;
    this.#alive = undefined;
    this.#last = '';
  }

  #refuse(filters: readonly ConnectFilter[]): void {
    writeFileSync(this.#options.note, NOTE);
    const lasting = (this.#lasting ??= this.#open('lasting'));
    lasting.change(() => {
      lasting.addSublayer(SUBLAYER, names.refuse);
      removeAll(lasting);
      for (const filter of filters) lasting.add(filter, SUBLAYER);
    });
  }

  #openAlive(): FilterSession {
    const alive = this.#open('for-life');
    try {
      alive.change(() => {
        for (const filter of aliveFilters()) alive.add(filter, SUBLAYER);
      });
    } catch (error) {
      alive.close();
      throw error;
    }
    return alive;
  }

  #attempt(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      if (!this.#hasFailed) this.#options.onRefused(Fault.from(error, 'redirect'));
      this.#hasFailed = true;
      return false;
    }
  }
}

function removeAll(session: FilterSession): void {
  for (const family of families) {
    for (const part of ['control', 'data', 'exempt'] as const) session.remove(keys[part][family]);
  }
}
