// The macOS layer with a stand-in for pfctl and the device: what is called, in which order, and what is said when it fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NATLOOK } from '../../../../daemon/divert/macos/natlook.js';
import { formatAnchor } from '../../../../daemon/divert/macos/pf-anchor.js';
import { PfDiverter } from '../../../../daemon/divert/macos/pf-diverter.js';
import { pfctlFault, pfctlProgram } from '../../../../daemon/divert/macos/pfctl.js';
import { macosFindings } from '../../../../daemon/cli/doctor/macos-checks.js';
import { Fault } from '../../../../shared/fault.js';
import { endpoint, plan, server } from '../plan-fixture.js';

const stock = {
  nat: 'nat-anchor "com.apple/*" all\nrdr-anchor "com.apple/*" all\n',
  rules: 'scrub-anchor "com.apple/*" all fragment reassemble\nanchor "com.apple/*" all\n',
};

/** A Mac that knows one redirected connection, whose destination it writes as the kernel would. */
function mac(shows: Readonly<Record<string, string>> = stock) {
  const calls: string[] = [];
  const diverter = new PfDiverter({
    pfctl: (argv, input) => {
      if (argv[0] === '-s') return Promise.resolve(shows[argv[1] ?? ''] ?? '');
      calls.push([...argv, ...(input === undefined ? [] : [`<<${input}`])].join(' '));
      return Promise.resolve(argv[0] === '-E' ? 'No ALTQ support in kernel\npf enabled\nToken : 4711\n' : '');
    },
    openDevice: () => ({
      ask: (_request, argument) => {
        if (argument.readUInt16BE(NATLOOK.sxport) !== 50000) return 2;
        argument.set([203, 0, 113, 9], NATLOOK.rdaddr);
        argument.writeUInt16BE(21, NATLOOK.rdxport);
        return 0;
      },
      close: () => {
        calls.push('close');
      },
    }),
  });
  return { diverter, calls };
}

const anchor = '-a com.apple/021.ftpseal';
const flushed = ['nat', 'rules', 'Tables'].map((part) => `${anchor} -F ${part}`);

test('the anchor is loaded whole, pf is switched on once, drain empties and clear lets go', async () => {
  const { diverter, calls } = mac();
  const changed = plan({ servers: [server('192.0.2.1', 23300)] });
  await diverter.apply(plan());
  await diverter.apply(changed);
  await diverter.drain();
  await diverter.clear();
  await diverter.clear();
  assert.deepEqual(calls, [
    `${anchor} -f - <<${formatAnchor(plan())}`,
    '-E',
    `${anchor} -f - <<${formatAnchor(changed)}`,
    `${anchor} -f - <<\n`,
    ...flushed,
    '-X 4711',
    'close',
    ...flushed,
  ]);
});

test('where a connection was going comes from pf; one that pf does not know was not redirected', async () => {
  const { diverter } = mac();
  const local = endpoint('127.0.0.1', 31100);
  const caught = { peer: endpoint('192.0.2.7', 50000), local };
  assert.equal(diverter.originOf(caught), undefined, 'before the first apply');
  await diverter.apply(plan());
  assert.deepEqual(diverter.originOf(caught), {
    client: caught.peer,
    server: endpoint('203.0.113.9', 21),
    uid: undefined,
  });
  assert.equal(diverter.originOf({ peer: endpoint('192.0.2.7', 50001), local }), undefined);
  await diverter.clear();
  assert.equal(diverter.originOf(caught), undefined, 'after clear');
});

test('a Mac whose pf.conf does not evaluate our anchor is refused before anything is loaded', async () => {
  const { diverter, calls } = mac({ ...stock, rules: 'pass all\n' });
  await assert.rejects(diverter.apply(plan()), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, 'redirect');
    assert.match(error.userMessage, /^The pf rules of this Mac lack anchor "com\.apple\/\*", .*pf\.conf$/);
    return true;
  });
  assert.deepEqual(calls, []);
});

test('what pfctl says becomes a sentence', async () => {
  const failed = new Error('Command failed');
  const says = (text: string) => pfctlFault(failed, `No ALTQ support in kernel\n${text}`);
  assert.equal(says('pfctl: /dev/pf: Permission denied').code, 'not-permitted');
  assert.equal(
    says('stdin:3: syntax error').userMessage,
    'pf refused the redirect rules: stdin:3: syntax error',
  );
  await assert.rejects(
    pfctlProgram('/sbin/no-such-pfctl')([]),
    (error) => error instanceof Fault && error.code === 'missing-tool',
  );
  assert.equal(await pfctlProgram('/bin/cat')(['-'], 'both ways'), 'both ways');
});

test('doctor says that no Mac has run this', () => {
  const findings = macosFindings();
  assert.match(findings[0]?.text ?? '', /never run/);
  assert.ok(findings.some(({ check, state }) => check === 'daemon' && state === 'fail'));
});
