// Which scripts the nftables diverter sends, by which way, in which order; and its sentences for people. The kernel's side
// is in test/lab/redirect.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NftablesDiverter } from '../../../daemon/divert/linux/nftables.js';
import { nftCommand } from '../../../daemon/divert/linux/nft-command.js';
import { nftFault } from '../../../daemon/divert/linux/nft-runner.js';
import {
  formatHold,
  formatHoldRemoval,
  formatRemoval,
  formatRuleset,
  formatTakeover,
  formatTakeoverRemoval,
} from '../../../daemon/divert/linux/ruleset.js';
import type { TableStates, TableState } from '../../../daemon/divert/linux/table-events.js';
import type { TableWatch } from '../../../daemon/divert/linux/table-watch.js';
import { Fault } from '../../../shared/fault.js';
import { plan, server } from './plan-fixture.js';

/** Two recording runners; scripts that contain a text in `refuse` fail. */
function recorder(options: {
  readonly library: boolean;
  readonly refuse?: Set<string>;
  readonly watch?: () => TableWatch;
}) {
  const log: string[] = [];
  const runner = (way: string) => ({
    run: (script: string) => {
      log.push(`${way}: ${script}`);
      const refused = [...(options.refuse ?? [])].some((part) => script.includes(part));
      return refused ? Promise.reject(new Fault('redirect', 'refused')) : Promise.resolve();
    },
  });
  const diverter = new NftablesDiverter({
    command: runner('nft'),
    library: () => (options.library ? runner('lib') : undefined),
    ...(options.watch === undefined ? {} : { watch: options.watch }),
  });
  return { diverter, taken: () => log.splice(0) };
}

const one = server('192.0.2.1', 23300);
const nothingLeft = `nft: ${formatRemoval('persistent')}${formatHoldRemoval()}`;
const two = server('192.0.2.2', 23301);

test('closed: what refuses takes the place of what a crash has left, then owned rules, then elements only', async () => {
  const { diverter, taken } = recorder({ library: true });
  await diverter.apply(plan());
  assert.deepEqual(taken(), [
    // While the table that refuses is replaced another one does, until the redirect stands.
    `nft: ${formatTakeover(plan())}`,
    `nft: ${formatHold(plan())}${formatRemoval('persistent')}`,
    `lib: ${formatRemoval('owned')}`,
    `lib: ${formatRuleset(plan(), 'owned')}`,
    `nft: ${formatTakeoverRemoval()}`,
  ]);
  await diverter.apply(plan());
  assert.deepEqual(taken(), []);
  await diverter.apply(plan({ servers: [one] }));
  assert.deepEqual(taken(), [
    'lib: add element inet ftpseal servers4 { 192.0.2.1 }\nadd element inet ftpseal active4 { 23300 : 192.0.2.1 . 20 }\n',
  ]);
});

test('open: the rest of a crash goes, then the rules are made by the library as owned ones', async () => {
  const open = plan({ onFailure: 'open' });
  const { diverter, taken } = recorder({ library: true });
  await diverter.apply(open);
  assert.deepEqual(taken(), [
    // What a predecessor left to refuse FTP is lifted when the redirect stands: in one transaction a packet can slip between the two.
    `nft: ${formatRemoval('persistent')}`,
    `lib: ${formatRemoval('owned')}`,
    `lib: ${formatRuleset(open, 'owned')}`,
    `nft: ${formatHold(open)}${formatTakeoverRemoval()}`,
  ]);
  await diverter.clear();
  assert.deepEqual(taken(), [`lib: ${formatRemoval('owned')}`, nothingLeft]);
  await diverter.clear();
  assert.deepEqual(taken(), [nothingLeft]);
});

/** A watch that says what it is told to. */
function watchFor(tables: Readonly<Record<string, TableState>>, seen: string[]) {
  return (): TableWatch => ({
    look: (): TableStates => ({ states: new Map(Object.entries(tables)), by: 'thief', unsigned: false }),
    close: () => {
      seen.push('closed');
    },
  });
}

test('what others removed is put back while a plan is in force: the hold table, and a persistent redirect', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  for (const library of [true, false]) {
    const seen: string[] = [];
    const states: Record<string, TableState> = {};
    const { diverter, taken } = recorder({ library, watch: watchFor(states, seen) });
    diverter.onRepair((repair) => seen.push(repair.kind === 'repaired' ? `by ${repair.by}` : repair.kind));
    await diverter.apply(plan());
    taken();
    const look = async (): Promise<readonly string[]> => {
      t.mock.timers.tick(1000);
      await new Promise(setImmediate);
      return taken();
    };
    assert.deepEqual(await look(), []);
    Object.assign(states, { ftpseal: 'gone' });
    const whole = `nft: ${formatHold(plan())}${library ? '' : formatRuleset(plan(), 'persistent')}`;
    assert.deepEqual(await look(), library ? [] : [whole], 'nobody else can touch an owned table');
    Object.assign(states, { ftpseal_hold: 'damaged' });
    assert.deepEqual(await look(), [whole]);
    assert.equal(seen.at(-1), 'by thief');
    await diverter.drain();
    taken();
    assert.deepEqual(await look(), [], 'nothing is due');
    await diverter.clear();
    assert.equal(seen.at(-1), 'closed');
  }
});

test('without the library, or on a kernel without owned tables: persistent rules', async () => {
  for (const onFailure of ['open', 'closed'] as const) {
    for (const options of [{ library: false }, { library: true, refuse: new Set(['owner']) }]) {
      const { diverter, taken } = recorder(options);
      await diverter.apply(plan({ onFailure }));
      const hold = onFailure === 'open' ? formatHold(plan({ onFailure })) : '';
      const lifted = `nft: ${hold}${formatTakeoverRemoval()}`;
      const last = [`nft: ${formatRuleset(plan({ onFailure }), 'persistent')}`, lifted];
      assert.deepEqual(taken().slice(-last.length), last);
    }
  }
});

test('a table that somebody else flushed is brought about whole', async () => {
  const refuse = new Set<string>();
  const { diverter, taken } = recorder({ library: false, refuse });
  await diverter.apply(plan({ servers: [one] }));
  taken();
  refuse.add('add element');
  await diverter.apply(plan({ servers: [one, two] }));
  assert.deepEqual(taken().slice(-2), [
    `nft: ${formatRuleset(plan({ servers: [one, two] }), 'persistent')}`,
    `nft: ${formatTakeoverRemoval()}`,
  ]);
});

test('after a failure the next plan is brought about whole, and clear still finds an owned table', async () => {
  const refuse = new Set<string>();
  const open = plan({ onFailure: 'open' });
  const { diverter, taken } = recorder({ library: true, refuse });
  await diverter.apply(open);
  refuse.add('skuid { 21021, 5 }');
  await assert.rejects(diverter.apply({ ...open, exemptUids: [5] }), Fault);
  taken();
  await diverter.apply(open);
  assert.deepEqual(taken(), [`lib: ${formatRuleset(open, 'owned')}`]);
  await diverter.clear();
  assert.deepEqual(taken(), [`lib: ${formatRemoval('owned')}`, nothingLeft]);
});

test('drain refuses nothing any more and holds the translation before the redirect ends', async () => {
  const { diverter, taken } = recorder({ library: true });
  const drained = plan({ onFailure: 'open' });
  await diverter.apply(plan());
  taken();
  await diverter.drain();
  assert.deepEqual(taken(), [`nft: ${formatHold(drained)}`, `lib: ${formatRemoval('owned')}`]);
  await diverter.drain();
  assert.deepEqual(taken(), [`nft: ${formatHold(drained)}${formatRemoval('persistent')}`]);
});

test('a successor finds everything refused, whatever on_failure says', async () => {
  const open = plan({ onFailure: 'open' });
  const { diverter, taken } = recorder({ library: true });
  await diverter.apply(open);
  taken();
  await diverter.handOver();
  assert.deepEqual(taken(), [
    `nft: ${formatHold(plan({ onFailure: 'closed' }))}`,
    `lib: ${formatRemoval('owned')}`,
  ]);
});

test('calls are carried out one after the other', async () => {
  const { diverter, taken } = recorder({ library: false });
  await Promise.all([diverter.apply(plan()), diverter.apply(plan({ servers: [one] })), diverter.clear()]);
  assert.deepEqual(
    taken().map((line) => line.split('\n')[0]),
    [
      'nft: add table inet ftpseal_takeover',
      'nft: add table inet ftpseal_hold',
      'nft: add table inet ftpseal',
      'nft: add table inet ftpseal_takeover',
      'nft: add element inet ftpseal servers4 { 192.0.2.1 }',
      'nft: add table inet ftpseal',
    ],
  );
});

test('nft missing is one sentence', async () => {
  await assert.rejects(nftCommand('nft-that-is-not-there').run(''), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, 'missing-tool');
    assert.match(error.userMessage, /^The program nft is not installed.*install the package nftables\.$/);
    return true;
  });
});

test('a kernel without nf_tables is one sentence', () => {
  const texts = [
    'Unable to initialize Netlink socket: Protocol not supported',
    'Error: Could not process rule: Operation not supported\nadd table inet ftpseal\n^^^^^',
    'netlink: Error: cache initialization failed: Protocol not supported',
  ];
  for (const text of texts) {
    assert.equal(nftFault(text).code, 'missing-tool', text);
    assert.match(nftFault(text).userMessage, /^This kernel lacks nftables/);
  }
});

test('anything else names what nft said first', () => {
  const fault = nftFault('Error: syntax error, unexpected newline\nfoo\n   ^');
  assert.equal(fault.code, 'redirect');
  assert.equal(
    fault.userMessage,
    'nftables refused the redirect rules: Error: syntax error, unexpected newline',
  );
});
