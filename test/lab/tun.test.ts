// The packet engine of Windows on a real TCP stack: the TUN layer between real sockets in hosts of the lab, in both families. At the
// end neither host may have seen one wrong checksum.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { net, plan, server, twoWorkers } from '../daemon/divert/plan-fixture.js';
import { parseEndpoint } from '../../shared/endpoint.js';
import { must, run } from './harness/command.js';
import { openNetwork } from './harness/network.js';
import { startAgent } from './redirect/agent-process.js';
import { stagedProgram } from './redirect/staged.js';
import { resultSchema } from './tun/client.js';
import type { DivertPlan } from '../../daemon/divert/diverter.js';
import type { Endpoint } from '../../shared/endpoint.js';
import type { Network, ServerAddress } from './harness/network.js';
import type { Agent } from './redirect/agent-process.js';
import type { Answer } from './redirect/protocol.js';
import type { Result, Task } from './tun/client.js';

const proxyUid = 21021;
const personUid = 30001;
const exemptUid = 30002;
const own = { 4: '10.22.0.2', 6: 'fd22::2' } as const;
const activePort = { 4: 23300, 6: 23301 } as const;
/** Our own rules beside those under test: what loses packets. */
const losses = 'inet losses';

const skip = process.geteuid?.() === 0 ? false : 'needs root for network namespaces';

describe('the packet engine over TUN', { skip }, () => {
  let network: Network;
  let one: ServerAddress;
  let two: ServerAddress;
  let servers: Agent;
  let proxy: Agent;
  let person: Agent;
  let engine: Agent;

  before(async () => {
    network = await openNetwork();
    one = network.nextAddress();
    two = network.nextAddress();
    servers = startAgent(network.srv);
    proxy = startAgent(network.pc, { uid: proxyUid });
    person = startAgent(network.pc, { uid: personUid });
    engine = startAgent(network.pc, { layer: 'tun' });
    for (const at of [one, two]) {
      for (const host of [at.ipv4, at.ipv6]) {
        for (const listening of [21, 21500, 21501]) await listen(servers, host, listening, 'server');
      }
    }
    for (const worker of twoWorkers) {
      await listen(proxy, '::', worker.control, `control ${worker.control}`);
      await listen(proxy, '::', worker.data, `data ${worker.data}`);
    }
  });
  afterEach(async () => {
    await run({ namespace: network.pc }, ['nft', 'delete', 'table', ...losses.split(' ')]);
    await good(engine.ask({ kind: 'clear' }));
    assert.deepEqual(await traces(), [], 'clear leaves nothing');
  });
  after(async () => {
    for (const agent of [servers, proxy, person, engine]) await agent.kill();
    await network.close();
  });

  async function good(asked: Promise<Answer>): Promise<Answer> {
    const answer = await asked;
    assert.equal(answer.error, undefined);
    return answer;
  }
  async function listen(agent: Agent, host: string, listening: number, greeting: string): Promise<void> {
    await good(agent.ask({ kind: 'listen', host, port: listening, greeting }));
  }
  function apply(changes: Partial<DivertPlan> = {}): Promise<Answer> {
    const known = [server(one.ipv4, activePort[4]), server(one.ipv6, activePort[6])];
    return good(
      engine.ask({ kind: 'apply', plan: plan({ servers: known, exemptUids: [exemptUid], ...changes }) }),
    );
  }
  function connect(agent: Agent, host: string, to: number, from = {}): Promise<Answer> {
    return agent.ask({ kind: 'connect', host, port: to, from });
  }
  async function client(task: Task, uid = personUid): Promise<Result> {
    const argv = [process.execPath, stagedProgram('../tun/client.js'), JSON.stringify(task)];
    // What the device's queue did not hold comes again, each time after twice the pause: on a busy machine a minute is soon over.
    const said = await run({ namespace: network.pc, uid }, argv, { timeoutMs: 180_000 });
    assert.equal(said.code, 0, said.stderr);
    return resultSchema.parse(JSON.parse(said.stdout));
  }
  async function lastAccepted(agent: Agent, at: number) {
    const { accepted = [] } = await good(agent.ask({ kind: 'accepted' }));
    const found = accepted.filter((entry) => entry.port === at).at(-1);
    assert.ok(found, `nothing was accepted at ${at}`);
    return found;
  }
  /** Packets that come in over the engine's device and match are lost. */
  function lose(match: string): Promise<string> {
    const rule = `iifname "ftpseal*" ${match} drop`;
    const chain = `chain in { type filter hook input priority 0; policy accept; ${rule}; }`;
    return must({ namespace: network.pc }, ['nft', '-f', '-'], `table ${losses} { ${chain}; }`);
  }
  /** Whatever of the layer is on the machine: device, rules, routes. */
  async function traces(): Promise<readonly string[]> {
    const at = { namespace: network.pc };
    const found = [
      /ftpseal\d+/.exec(await must(at, ['ip', '-o', 'link', 'show']))?.[0],
      /ftpseal\w+/.exec(await must(at, ['nft', 'list', 'tables']))?.[0],
      ...(await Promise.all(
        ['-4', '-6'].flatMap((family) => [
          run(at, ['ip', family, 'rule', 'show', 'pref', '21021']).then(({ stdout }) => stdout.trim()),
          run(at, ['ip', family, 'route', 'show', 'table', '21021']).then(({ stdout }) => stdout.trim()),
        ]),
      )),
    ];
    return found.filter((text): text is string => text !== undefined && text !== '');
  }
  async function wrongChecksums(): Promise<readonly number[]> {
    const of = async (namespace: string) => {
      const lines = (await must({ namespace }, ['cat', '/proc/net/snmp'])).split('\n');
      const [heads = '', values = ''] = lines.filter((line) => line.startsWith('Tcp:'));
      return Number(values.split(' ')[heads.split(' ').indexOf('InCsumErrors')]);
    };
    return [await of(network.pc), await of(network.srv)];
  }

  for (const family of [4, 6] as const) {
    const hostOf = (at: ServerAddress) => (family === 4 ? at.ipv4 : at.ipv6);
    const text = (host: string, at: number) => (family === 4 ? `${host}:${at}` : `[${host}]:${at}`);
    const me = own[family];

    describe(`IPv${family}`, () => {
      test('the client sees its server, the proxy learns where it was going and whose it is', async () => {
        await apply();
        const greetings = new Set<string | undefined>();
        for (let round = 0; round < 4; round += 1) {
          const answer = await good(connect(person, hostOf(one), 21));
          assert.equal(answer.remote, text(hostOf(one), 21));
          greetings.add(answer.greeting);
          const control = Number(answer.greeting?.split(' ')[1]);
          const { peer } = await lastAccepted(proxy, control);
          assert.equal(peer, answer.local?.replace(me, hostOf(one)), 'the proxy’s peer is the server');
          const origin = await engine.ask({
            kind: 'origin',
            peer: point(peer),
            local: point(text(me, control)),
          });
          assert.deepEqual(origin, { local: answer.local, remote: text(hostOf(one), 21), uid: personUid });
        }
        assert.deepEqual([...greetings].sort(), ['control 31100', 'control 31108']);
      });

      test('a connection made to the worker directly has no origin', async () => {
        await apply();
        const answer = await good(connect(proxy, me, 31100));
        const ends = { peer: point(answer.local ?? ''), local: point(text(me, 31100)) };
        assert.deepEqual(await engine.ask({ kind: 'origin', ...ends }), {});
      });

      test('exempt users, exempt blocks, other ports, other servers and the proxy itself reach the server', async () => {
        await apply({ exemptNets: [net(`${hostOf(two)}/${family === 4 ? 32 : 128}`)] });
        const task = { host: hostOf(one), port: 21, bytes: 200_000 };
        const expected = { greetings: ['server'], same: true, errors: [] };
        for (const [what, uid] of [
          [task, exemptUid],
          [{ ...task, host: hostOf(two) }, personUid],
          [{ ...task, host: hostOf(two), port: 21500 }, personUid],
          [task, proxyUid],
        ] as const) {
          const { greetings, same, errors } = await client(what, uid);
          assert.deepEqual({ greetings, same, errors }, expected);
        }
      });

      test('a connection older than the engine lives on, and so does one that it let pass', async () => {
        const before = await good(connect(person, hostOf(one), 21));
        await apply();
        assert.equal(before.greeting, 'server');
        assert.equal((await person.ask({ kind: 'say', id: before.id ?? 0, text: 'NOOP' })).greeting, 'NOOP');
      });

      test('one client port to two servers, and to two data ports of one server', async () => {
        await apply({ servers: [server(hostOf(one), 23300), server(hostOf(two), 23301)] });
        const from = { host: me, port: 45_010 };
        for (const [host, at] of [
          [hostOf(one), 21_500],
          [hostOf(two), 21_500],
          [hostOf(one), 21_501],
        ] as const) {
          const answer = await good(connect(person, host, at, from));
          assert.equal(answer.greeting, 'data 31101');
          assert.equal(answer.remote, text(host, at));
          const { peer } = await lastAccepted(proxy, 31101);
          const origin = await engine.ask({
            kind: 'origin',
            peer: point(peer),
            local: point(text(me, 31101)),
          });
          assert.equal(origin.remote, text(host, at), 'each has its own origin');
          assert.equal(origin.local, text(me, 45_010));
          const said = await person.ask({ kind: 'say', id: answer.id ?? 0, text: `to ${at}` });
          assert.equal(said.greeting, `to ${at}`);
        }
      });

      test('a client port among the virtual ports', async () => {
        await apply();
        const answer = await good(connect(person, hostOf(one), 21, { host: me, port: 21_777 }));
        assert.match(answer.greeting ?? '', /^control /);
        const again = await person.ask({ kind: 'say', id: answer.id ?? 0, text: 'NOOP' });
        assert.equal(again.greeting, 'NOOP');
      });

      test('a reset goes through in both directions', async () => {
        await apply();
        const byProxy = await good(connect(person, hostOf(one), 21));
        const atProxy = await lastAccepted(proxy, Number(byProxy.greeting?.split(' ')[1]));
        await good(proxy.ask({ kind: 'end', id: atProxy.id, reset: true }));
        assert.equal((await person.ask({ kind: 'say', id: byProxy.id ?? 0, text: 'x' })).error, 'closed');
        const byPerson = await good(connect(person, hostOf(one), 21));
        const other = await lastAccepted(proxy, Number(byPerson.greeting?.split(' ')[1]));
        await good(person.ask({ kind: 'end', id: byPerson.id ?? 0, reset: true }));
        assert.equal((await proxy.ask({ kind: 'say', id: other.id, text: 'x' })).error, 'closed');
      });

      test('a source port is used again while the proxy’s side still waits, and after a reset', async () => {
        await apply({ workers: twoWorkers.slice(0, 1) });
        const from = { host: me, port: 45_020 };
        for (const reset of [false, true, false]) {
          const answer = await good(connect(person, hostOf(one), 21, from));
          assert.equal(answer.greeting, 'control 31100');
          const { id } = await lastAccepted(proxy, 31100);
          // Who closes first is the one that waits.
          await good(proxy.ask({ kind: 'end', id, reset }));
          await good(person.ask({ kind: 'end', id: answer.id ?? 0, reset: false }));
          await sleep(50);
        }
      });

      test('half-close: everything comes back after the client’s FIN', async () => {
        await apply();
        const { greetings, same, errors } = await client({ host: hostOf(one), port: 21, bytes: 3_000_000 });
        assert.deepEqual({ count: greetings.length, same, errors }, { count: 1, same: true, errors: [] });
      });

      test('two hundred at once', async () => {
        await apply();
        const result = await client({ host: hostOf(one), port: 21, count: 200, bytes: 20_000 });
        assert.deepEqual(result.errors, []);
        assert.equal(result.greetings.length, 200);
        assert.ok(result.same && result.greetings.every((greeting) => greeting.startsWith('control ')));
      });

      test('a lost SYN is sent again and is still one connection', async () => {
        await apply({ workers: twoWorkers.slice(0, 1) });
        const { accepted: before = [] } = await good(proxy.ask({ kind: 'accepted' }));
        await lose('tcp dport 31100 tcp flags & (syn | ack) == syn numgen inc mod 2 == 0');
        assert.equal((await good(connect(person, hostOf(one), 21))).greeting, 'control 31100');
        const { accepted = [] } = await good(proxy.ask({ kind: 'accepted' }));
        assert.equal(accepted.length, before.length + 1);
      });

      test('three packets of a hundred are lost on the way', async () => {
        await apply();
        await lose('numgen random mod 100 < 3');
        const { same, errors } = await client({ host: hostOf(one), port: 21, bytes: 1_000_000 });
        assert.deepEqual({ same, errors }, { same: true, errors: [] });
      });

      test('an active data connection comes from the server, port 20, several at a time', async () => {
        await apply();
        const from = { host: me, port: activePort[family] };
        for (let at = 30_010; at < 30_013; at += 1) {
          const mine = at + family * 100;
          await listen(person, me, mine, 'client');
          assert.equal((await good(connect(proxy, hostOf(one), mine, from))).greeting, 'client');
          assert.equal((await lastAccepted(person, mine)).peer, text(hostOf(one), 20));
        }
        const stranger = connect(proxy, hostOf(two), 30_010 + family * 100, from);
        assert.equal(await Promise.race([stranger, sleep(500)]), undefined, 'for its own server only');
      });

      test('only the proxy may speak for a server', async () => {
        await apply();
        const mine = 30_050 + family;
        await listen(person, me, mine, 'client');
        const from = { host: me, port: activePort[family] };
        assert.equal(
          (await connect(person, hostOf(one), mine, from)).error,
          'ECONNREFUSED',
          'by the real server',
        );
      });

      test('a knock from the network at a worker’s port gets no answer', async () => {
        await apply();
        const knock = `require('node:net').connect({host: '${me}', port: 31100}).on('connect', () => process.exit(1)).on('error', () => process.exit(2)).setTimeout(1500, () => process.exit(0))`;
        const at = { namespace: network.srv };
        assert.equal((await run(at, [process.execPath, '-e', knock])).code, 0);
      });

      test('an impostor at a worker’s port is sent nothing', async () => {
        await apply();
        await listen(person, '::', 31_112 + family, 'impostor');
        await apply({ workers: [{ ...twoWorkers[0]!, control: point(text(me, 31_112 + family)).port }] });
        const outcome = await Promise.race([connect(person, hostOf(one), 21), sleep(1500)]);
        assert.equal(outcome, undefined, 'no connection comes about');
      });

      test('after drain running connections go on and new ones reach the server', async () => {
        await apply();
        const running = await good(connect(person, hostOf(one), 21));
        await good(engine.ask({ kind: 'drain' }));
        assert.equal((await good(connect(person, hostOf(one), 21))).greeting, 'server');
        assert.equal((await person.ask({ kind: 'say', id: running.id ?? 0, text: 'NOOP' })).greeting, 'NOOP');
      });

      test('the engine killed: nothing leaves until the next one takes over', async () => {
        await apply();
        const running = await good(connect(person, hostOf(one), 21));
        await engine.kill();
        engine = startAgent(network.pc, { layer: 'tun' });
        const seen = await capturedBy('tcp dport 21', async () => {
          const saying = person.ask({ kind: 'say', id: running.id ?? 0, text: 'PASS secret' });
          await Promise.all([saying, connect(person, hostOf(one), 21)]);
        });
        assert.equal(seen, 0, 'neither a new connection nor what the client of a running one says');
        await apply();
        assert.match((await good(connect(person, hostOf(one), 21))).greeting ?? '', /^control /);
      });
    });
  }

  /** How many packets that match reached the server host during `act` (a second at most). */
  async function capturedBy(match: string, act: () => Promise<unknown>): Promise<number> {
    const at = { namespace: network.srv };
    // Before the kernel puts parts together.
    const chain = `chain in { type filter hook prerouting priority -450; ${match} counter; }`;
    await must(at, ['nft', '-f', '-'], `table inet count { ${chain}; }`);
    await Promise.race([act(), sleep(1000)]);
    const listed = await must(at, ['nft', 'list', 'table', 'inet', 'count']);
    await must(at, ['nft', 'delete', 'table', 'inet', 'count']);
    return Number(/counter packets (\d+)/.exec(listed)?.[1]);
  }

  test('a packet in parts does not leave for a server with a session, and arrives without the engine', async () => {
    // A SYN to port 21 with a password behind it, in two parts that no TCP would make.
    const script = `
import socket, struct, sys
to = sys.argv[1]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
ends = socket.inet_aton('${own[4]}') + socket.inet_aton(to)
def segment(checksum):
    return struct.pack('!HHIIBBHHH', 45999, 21, 1, 0, 80, 2, 65000, checksum, 0) + b'PASS in-two-part'
words = struct.unpack('!24H', ends + struct.pack('!HH', 6, 36) + segment(0))
total = sum(words)
tcp = segment(~((total & 0xffff) + (total >> 16)) & 0xffff)
for offset, more in ((0, 0x2000), (24, 0)):
    data = tcp[offset:offset + 24]
    head = struct.pack('!BBHHHBBH', 69, 0, 20 + len(data), 77, more | offset >> 3, 64, 6, 0)
    raw.sendto(head + ends + data, (to, 0))
`;
    const sending = () => must({ namespace: network.pc }, ['/usr/bin/python3', '-c', script, one.ipv4]);
    assert.equal(await capturedBy('ip frag-off & 0x3fff != 0', sending), 2);
    await apply();
    await good(connect(person, one.ipv4, 21));
    assert.equal(await capturedBy('ip frag-off & 0x3fff != 0', sending), 0);
  });

  test('a process that ends by an error of its own does not hang on the loop’s thread', async () => {
    const doomed = startAgent(network.pc, { layer: 'tun' });
    await good(doomed.ask({ kind: 'apply', plan: plan() }));
    await doomed.ask({ kind: 'fail' });
    const outcome = await Promise.race([doomed.gone.then(() => 'gone'), sleep(3000, 'still there')]);
    assert.equal(outcome, 'gone');
  });

  test('an engine that stops by itself is told of, leaves nothing through, and the next plan makes it anew', async () => {
    await apply();
    await must({ namespace: network.pc }, ['ip', 'link', 'delete', String((await traces())[0])]);
    assert.match((await good(engine.ask({ kind: 'failure' }))).greeting ?? '', /has stopped/);
    const seen = await capturedBy('tcp dport 21', () => connect(person, one.ipv4, 21));
    assert.equal(seen, 0);
    await apply();
    assert.match((await good(connect(person, one.ipv4, 21))).greeting ?? '', /^control /);
  });

  test('what the loop does in a second', async () => {
    await apply();
    const bytes = 64 * 1024 * 1024;
    const { milliseconds, same } = await client({ host: one.ipv4, port: 21, bytes });
    assert.equal(same, true);
    const rate = (2 * bytes) / 1e6 / (milliseconds / 1000);
    console.log(`over TUN and back: ${rate.toFixed(0)} MB/s, both directions together, with hashing`);
  });

  test('not one checksum was wrong, on either host', async () => {
    assert.deepEqual(await wrongChecksums(), [0, 0]);
  });
});

function point(written: string | undefined): Endpoint {
  const parsed = parseEndpoint(written ?? '');
  assert.ok(parsed, `${written ?? 'nothing'} is an endpoint`);
  return parsed;
}
