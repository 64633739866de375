// The redirect layer against the real kernel: nftables, connection tracking and sock_diag in hosts of the lab.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { address, endpoint, net, plan, port, server, twoWorkers } from '../daemon/divert/plan-fixture.js';
import { formatRuleset } from '../../daemon/divert/linux/ruleset.js';
import { parseEndpoint } from '../../shared/endpoint.js';
import { must, sleep } from './harness/command.js';
import { openNetwork } from './harness/network.js';
import { startAgent } from './redirect/agent-process.js';
import type { DivertPlan } from '../../daemon/divert/diverter.js';
import type { Endpoint } from '../../shared/endpoint.js';
import type { Network, ServerAddress } from './harness/network.js';
import type { Agent } from './redirect/agent-process.js';
import type { Accepted, Answer } from './redirect/protocol.js';

const proxyUid = 21021;
const personUid = 30001;
const otherUid = 30002;
/** A server's address and port, and the client host's own address of that family. */
interface Leg {
  readonly server: string;
  readonly port: number;
  readonly own: string;
}

/** The client host's own addresses. */
const client = { ipv4: '10.22.0.2', ipv6: 'fd22::2' };

/** Asks and answers by UDP, at both loopback addresses. */
const datagrams = `
  const ask = (family, host) => new Promise((resolve, reject) => {
    const server = require('node:dgram').createSocket(family, (_, from) => server.send('answer', from.port, host, sent));
    const client = require('node:dgram').createSocket(family, (text, from) => {
      console.log(text + ' from ' + from.address);
      client.close(); server.close(); resolve();
    });
    const sent = (error) => error && reject(error);
    server.bind(0, host, () => client.send('question', server.address().port, host, sent));
  });
  ask('udp4', '127.0.0.1').then(() => ask('udp6', '::1'));
`;

const skip = process.geteuid?.() === 0 ? false : 'needs root for network namespaces';

describe('redirect on Linux', { skip }, () => {
  let network: Network;
  let one: ServerAddress;
  let two: ServerAddress;
  let servers: Agent;
  let proxy: Agent;
  let person: Agent;
  let other: Agent;
  let root: Agent;

  before(async () => {
    network = await openNetwork();
    one = network.nextAddress();
    two = network.nextAddress();
    servers = startAgent(network.srv);
    proxy = startAgent(network.pc, { uid: proxyUid, thread: true });
    person = startAgent(network.pc, { uid: personUid });
    other = startAgent(network.pc, { uid: otherUid });
    root = startAgent(network.pc);
    for (const at of [one, two]) {
      for (const host of [at.ipv4, at.ipv6]) {
        for (const listening of [21, 21500, 22500]) await listen(servers, host, listening, 'server');
      }
    }
    for (const worker of twoWorkers) {
      for (const host of ['127.0.0.1', '::1']) {
        await listen(proxy, host, worker.control, `control ${worker.control}`);
        await listen(proxy, host, worker.data, `data ${worker.data}`);
      }
    }
  });
  after(async () => {
    for (const agent of [servers, proxy, person, other, root]) await agent.kill();
    await network.close();
  });
  afterEach(async () => {
    await good(root.ask({ kind: 'clear' }));
    assert.equal(await ruleset(), '', 'clear leaves nothing');
  });

  async function good(asked: Promise<Answer>): Promise<Answer> {
    const answer = await asked;
    assert.equal(answer.error, undefined);
    return answer;
  }
  async function listen(agent: Agent, host: string, listening: number, greeting: string): Promise<void> {
    await good(agent.ask({ kind: 'listen', host, port: listening, greeting }));
  }
  function apply(changes: Partial<DivertPlan> = {}, agent = root): Promise<Answer> {
    return good(agent.ask({ kind: 'apply', plan: plan(changes) }));
  }
  function connect(
    agent: Agent,
    host: string,
    to: number,
    from: { readonly host?: string; readonly port?: number } = {},
  ): Promise<Answer> {
    return agent.ask({ kind: 'connect', host, port: to, from });
  }
  async function greeting(agent: Agent, host: string, to: number): Promise<string | undefined> {
    const answer = await connect(agent, host, to);
    return answer.greeting ?? answer.error;
  }
  async function acceptedFrom(agent: Agent, local: string | undefined): Promise<Accepted | undefined> {
    const { accepted = [] } = await good(agent.ask({ kind: 'accepted' }));
    return accepted.find((entry) => entry.peer === local);
  }
  async function echo(connection: Answer): Promise<string | undefined> {
    const answer = await person.ask({ kind: 'say', id: connection.id ?? 0, text: 'NOOP' });
    return answer.greeting ?? answer.error;
  }
  function ruleset(): Promise<string> {
    return must({ namespace: network.pc }, ['nft', 'list', 'ruleset']);
  }
  function point(text: string | undefined): Endpoint {
    const parsed = parseEndpoint(text ?? '');
    assert.ok(parsed, `${text ?? 'nothing'} is an endpoint`);
    return parsed;
  }

  for (const onFailure of ['open', 'closed'] as const) {
    test(`${onFailure}: connections of both families are spread over the workers, with destination and owner`, async () => {
      await apply({ onFailure });
      for (const host of [one.ipv4, one.ipv6, two.ipv4, two.ipv6]) {
        const greetings = new Set<string | undefined>();
        for (let round = 0; round < 4; round += 1) {
          const answer = await good(connect(person, host, 21));
          assert.equal(answer.remote, text(host, 21), 'the client sees the server as its peer');
          greetings.add(answer.greeting);
          const accepted = await acceptedFrom(proxy, answer.local);
          assert.equal(accepted?.original, text(host, 21));
          assert.equal(accepted.owner, personUid);
        }
        assert.deepEqual([...greetings].sort(), ['control 31100', 'control 31108']);
      }
    });
  }

  test('the proxy itself, exempt users, exempt blocks and other ports are left alone (T50)', async () => {
    await apply({
      exemptUids: [otherUid],
      exemptNets: [net(`${two.ipv4}/32`), net('10.99.0.0/16'), net('10.99.1.0/24')],
    });
    assert.equal(await greeting(proxy, one.ipv4, 21), 'server');
    assert.equal(await greeting(proxy, one.ipv6, 21), 'server');
    assert.equal(await greeting(other, one.ipv4, 21), 'server');
    assert.equal(await greeting(person, two.ipv4, 21), 'server');
    assert.match((await greeting(person, two.ipv6, 21)) ?? '', /^control /);
    assert.match((await greeting(person, one.ipv4, 21)) ?? '', /^control /);
    assert.equal(await greeting(person, one.ipv4, 21500), 'server', 'no session with this server');
  });

  test('destinations on this machine are left alone (T53)', async () => {
    await listen(other, client.ipv4, 21, 'own server');
    await apply();
    assert.equal(await greeting(person, client.ipv4, 21), 'own server');
  });

  // A local resolver answers so. The rules know a redirected connection by its answer, and this is none.
  test('answers without a connection are left alone, on this machine too', async () => {
    await apply({ onFailure: 'closed' });
    const stdout = await must({ namespace: network.pc }, [process.execPath, '-e', datagrams]);
    assert.equal(stdout, 'answer from 127.0.0.1\nanswer from ::1\n');
  });

  test('a connection made to a worker directly has no original destination (T53)', async () => {
    await apply();
    const answer = await good(connect(person, '127.0.0.1', 31100));
    assert.equal((await acceptedFrom(proxy, answer.local))?.original, undefined);
  });

  for (const onFailure of ['open', 'closed'] as const) {
    // As where a worker died and another user was quicker than its replacement.
    test(`${onFailure}: another user at a worker's ports gets no connection, for control or data`, async () => {
      const [control, data] = onFailure === 'open' ? [31_140, 31_141] : [31_142, 31_143];
      for (const host of ['127.0.0.1', '::1']) {
        await listen(other, host, control, 'impostor');
        await listen(other, host, data, 'impostor');
      }
      const worker = { ...twoWorkers[0]!, control: port(control), data: port(data) };
      const known = [server(one.ipv4, 23300), server(one.ipv6, 23301)];
      await apply({ onFailure, workers: [worker], servers: known });
      const calls = [one.ipv4, one.ipv6].flatMap((host) =>
        [21, 21500].map((to) => connect(person, host, to)),
      );
      assert.equal(await Promise.race([...calls, sleep(1500)]), undefined, 'no connection comes about');
      const { accepted } = await good(other.ask({ kind: 'accepted' }));
      assert.deepEqual(
        accepted?.filter((entry) => entry.port === control || entry.port === data),
        [],
      );
    });
  }

  test('virtual data ports go to their worker, of diverted servers only', async () => {
    await apply({ servers: [server(one.ipv4, 23300), server(one.ipv6, 23301)] });
    for (const host of [one.ipv4, one.ipv6]) {
      const first = await good(connect(person, host, 21500));
      assert.equal(first.greeting, 'data 31101');
      assert.equal((await acceptedFrom(proxy, first.local))?.original, text(host, 21500));
      assert.equal(await greeting(person, host, 22500), 'data 31109');
    }
    for (const host of [two.ipv4, two.ipv6]) assert.equal(await greeting(person, host, 21500), 'server');
  });

  test('a client that uses a source port again keeps it: the worker has several data ports, and knows the owner by it', async () => {
    const ports = [31150, 31151, 31152, 31153];
    for (const host of ['127.0.0.1', '::1'])
      for (const listening of ports) await listen(proxy, host, listening, 'data');
    const worker = { ...twoWorkers[0]!, data: port(31150), dataLast: port(31153) };
    await apply({ workers: [worker], servers: [server(one.ipv4, 23300), server(one.ipv6, 23301)] });
    for (const host of [one.ipv4, one.ipv6]) {
      const seen = new Set<number>();
      for (const [index] of ports.entries()) {
        const answer = await good(connect(person, host, 21500 + index, { port: 40_100 }));
        const { accepted = [] } = await good(proxy.ask({ kind: 'accepted' }));
        const from = accepted.filter(({ peer }) => peer === answer.local);
        const entry = from.find(({ original }) => original === text(host, 21500 + index));
        assert.equal(entry?.owner, personUid);
        seen.add(entry.port);
      }
      assert.deepEqual([...seen].sort(), ports);
    }
  });

  test('an active data connection comes from the server, port 20, several at a time from one active port', async () => {
    await apply({ servers: [server(one.ipv4, 23300), server(one.ipv6, 23301)] });
    const legs = [
      { own: client.ipv4, bind: '127.0.0.1', active: 23300, from: one.ipv4, listening: 40010 },
      { own: client.ipv6, bind: '::1', active: 23301, from: one.ipv6, listening: 40020 },
    ];
    for (const leg of legs) {
      for (let listening = leg.listening; listening < leg.listening + 3; listening += 1) {
        await listen(person, leg.own, listening, 'client');
        const dialled = await good(connect(proxy, leg.own, listening, { host: leg.bind, port: leg.active }));
        assert.equal(dialled.greeting, 'client', 'bytes pass in both directions');
        const { accepted = [] } = await good(person.ask({ kind: 'accepted' }));
        const seen = accepted.filter((entry) => entry.port === listening);
        assert.deepEqual(
          seen.map((entry) => entry.peer),
          [text(leg.from, 20)],
        );
      }
    }
  });

  test('only the proxy may speak for a server', async () => {
    await apply({ servers: [server(one.ipv4, 23300)] });
    await listen(person, client.ipv4, 40003, 'client');
    await good(connect(other, client.ipv4, 40003, { host: '127.0.0.1', port: 23300 }));
    const { accepted = [] } = await good(person.ask({ kind: 'accepted' }));
    assert.equal(accepted.find((entry) => entry.port === 40003)?.peer, '127.0.0.1:23300');
  });

  test('a change of servers keeps the rest of the table, and an active port may move', async () => {
    await apply({ servers: [server(one.ipv4, 23300)] });
    const handles = () =>
      must({ namespace: network.pc }, ['nft', '-a', 'list', 'chain', 'inet', 'ftpseal', 'out']);
    const before = await handles();
    await apply({ servers: [server(two.ipv4, 23300), server(one.ipv4, 23302)] });
    assert.equal(await handles(), before, 'the rules have kept their handles');
    const map = await must({ namespace: network.pc }, ['nft', 'list', 'map', 'inet', 'ftpseal', 'active4']);
    assert.match(map, new RegExp(`23300 : ${two.ipv4} \\. 20`));
    assert.match(map, new RegExp(`23302 : ${one.ipv4} \\. 20`));
    assert.equal(await greeting(person, two.ipv4, 21500), 'data 31101');
  });

  for (const onFailure of ['open', 'closed'] as const) {
    test(`${onFailure}: two thousand servers, then one more and one less`, async () => {
      const many = Array.from({ length: 2000 }, (_, index) =>
        server(
          index % 2 === 0 ? `10.50.${index >> 8}.${index & 255}` : `fd50::${index.toString(16)}`,
          40000 + index,
        ),
      );
      await apply({ onFailure, servers: many });
      await apply({ onFailure, servers: [...many.slice(1), server(one.ipv4, 23300)] });
      assert.equal(await greeting(person, one.ipv4, 21500), 'data 31101');
      const listed = await must({ namespace: network.pc }, [
        'nft',
        'list',
        'set',
        'inet',
        'ftpseal',
        'servers4',
      ]);
      assert.equal(listed.match(/10\.50\./g)?.length, 999);
    });
  }

  test('foreign tables are the same before, during and after (T50)', async () => {
    const foreign = [
      'table inet foreign { chain output { type filter hook output priority 0; policy accept; tcp dport 25 drop; }; }',
      'table ip nat { chain OUTPUT { type nat hook output priority -100; policy accept; tcp dport 8 redirect to :9; }; }',
    ].join('\n');
    await must({ namespace: network.pc }, ['nft', '-f', '-'], foreign);
    const before = await ruleset();
    await apply({ servers: [server(one.ipv4, 23300)] });
    const during = await ruleset();
    assert.ok(during.startsWith(before.trimEnd()) && during.includes('table inet ftpseal'), during);
    await good(root.ask({ kind: 'clear' }));
    assert.equal(await ruleset(), before);
    await must({ namespace: network.pc }, ['nft', 'flush', 'ruleset']);
  });

  test('somebody who flushes all rules does not reach the redirect (T50)', async () => {
    await apply();
    await must({ namespace: network.pc }, ['nft', 'flush', 'ruleset']);
    assert.match((await greeting(person, one.ipv4, 21)) ?? '', /^control /);
    await apply({ servers: [server(one.ipv4, 23300)] });
    assert.match((await greeting(person, one.ipv4, 21)) ?? '', /^control /);
  });

  // The proxy's upstream connection is reset by the server; its entry in connection tracking lives on for some seconds. Then
  // a client takes the very same source port to the same server.
  async function reuseSourcePort(leg: Leg, source: number): Promise<string | undefined> {
    const from = { host: leg.own, port: source };
    const upstream = await good(connect(proxy, leg.server, leg.port, from));
    const atServer = await acceptedFrom(servers, upstream.local);
    await good(servers.ask({ kind: 'end', id: atServer?.id ?? 0, reset: true }));
    await good(proxy.ask({ kind: 'end', id: upstream.id ?? 0, reset: false }));
    const answer = await connect(person, leg.server, leg.port, from);
    return answer.greeting ?? answer.error;
  }

  test('a reused source port gets past the redirect without the guard, and is reset with it', async () => {
    await apply({ servers: [server(one.ipv4, 23300), server(one.ipv6, 23301)] });
    const legs: readonly Leg[] = [
      { server: one.ipv4, port: 21, own: client.ipv4 },
      { server: one.ipv6, port: 21, own: client.ipv6 },
      { server: one.ipv4, port: 21500, own: client.ipv4 },
      { server: one.ipv6, port: 21500, own: client.ipv6 },
    ];
    let source = 45100;
    for (const leg of legs) assert.equal(await reuseSourcePort(leg, source++), 'ECONNREFUSED');
    await good(root.ask({ kind: 'clear' }));
    await unguarded();
    for (const leg of legs) {
      assert.equal(await reuseSourcePort(leg, source++), 'server', 'the leak that the guard is for');
    }
  });

  /** The same rules with a guard that lets everything pass. */
  async function unguarded(): Promise<void> {
    const servers = [server(one.ipv4, 23300), server(one.ipv6, 23301)];
    const rules = formatRuleset(plan({ servers }), 'persistent');
    const script = rules.replaceAll('reject with tcp reset', 'accept');
    await must({ namespace: network.pc }, ['nft', '-f', '-'], script);
  }

  test('connections older than the rules live on', async () => {
    const before = await good(connect(person, one.ipv4, 21));
    await apply();
    assert.equal(before.greeting, 'server');
    assert.equal(await echo(before), 'NOOP');
  });

  for (const onFailure of ['open', 'closed'] as const) {
    test(`${onFailure}: drain leaves running sessions with the proxy and new connections alone`, async () => {
      await apply({ onFailure });
      const running = [await good(connect(person, one.ipv4, 21)), await good(connect(person, one.ipv6, 21))];
      await good(root.ask({ kind: 'drain' }));
      for (const connection of running) assert.equal(await echo(connection), 'NOOP');
      assert.equal(await greeting(person, one.ipv4, 21), 'server');
      assert.doesNotMatch(await ruleset(), /redirect|reject/);
      await good(root.ask({ kind: 'clear' }));
      for (const connection of running)
        assert.equal(await echo(connection), 'closed', 'by the server itself');
    });
  }

  test('the owner is found when connection tracking had to change the source port', async () => {
    await apply({ workers: twoWorkers.slice(0, 1) });
    // Same source port to two servers: after the redirect both would be the same connection.
    const first = await good(connect(person, one.ipv4, 21, { host: client.ipv4, port: 45010 }));
    const second = await good(connect(person, two.ipv4, 21, { host: client.ipv4, port: 45010 }));
    assert.equal((await acceptedFrom(proxy, first.local))?.owner, personUid);
    const { accepted = [] } = await good(proxy.ask({ kind: 'accepted' }));
    const remapped = accepted.at(-1);
    assert.equal(remapped?.original, text(two.ipv4, 21));
    assert.notEqual(remapped.peer, second.local, 'the test forced a remapping');
    assert.equal(remapped.owner, personUid);
  });

  test('the owner stays unknown where two users could be meant, and for sockets that nobody holds', async () => {
    await apply();
    const { ipv6 } = network.nextAddress();
    await listen(servers, ipv6, 21, 'server');
    await good(connect(other, ipv6, 21));
    const held = await good(connect(person, ipv6, 21));
    const nobody = endpoint(client.ipv6, 45099);
    const ask = (at: Endpoint) => proxy.ask({ kind: 'owner', client: at, server: endpoint(ipv6, 21) });
    assert.equal((await ask(nobody)).uid, undefined);
    assert.equal((await ask(point(held.local))).uid, personUid);
    await good(person.ask({ kind: 'end', id: held.id ?? 0, reset: false }));
    assert.equal((await ask(point(held.local))).uid, otherUid, 'then only one user talks to that server');
  });

  test('the program behind a connection is known to root', async () => {
    await apply();
    const held = await good(connect(person, one.ipv4, 21));
    const asked = { kind: 'program', client: point(held.local), server: endpoint(one.ipv4, 21) } as const;
    const { pid, name } = await root.ask(asked);
    assert.deepEqual({ pid, name }, { pid: person.pid, name: 'node' });
    assert.equal((await proxy.ask(asked)).pid, undefined, 'and to nobody else');
  });

  test('without the right to change rules: one sentence', async () => {
    const { error } = await person.ask({ kind: 'clear' });
    assert.match(error ?? '', /^not-permitted: Changing the machine’s redirect rules is not permitted/);
  });

  test('the redirect dies with its process at kill -9; closed: what refuses stays; the next daemon takes over', async () => {
    for (const onFailure of ['open', 'closed'] as const) {
      const doomed = startAgent(network.pc);
      await apply({ onFailure }, doomed);
      const { error } = await root.ask({ kind: 'clear' });
      assert.match(error ?? '', /^redirect: Another running ftpseal daemon holds the redirect rules/);
      const running = await good(connect(person, one.ipv4, 21));
      await doomed.kill();
      assert.doesNotMatch(await ruleset(), /redirect/);
      assert.equal((await ruleset()).includes('reject'), onFailure === 'closed');
      const newcomer = await connect(person, one.ipv4, 21);
      assert.equal(newcomer.greeting ?? newcomer.error, onFailure === 'open' ? 'server' : 'ECONNREFUSED');
      assert.equal(await echo(running), 'NOOP', 'a running session stays with the proxy');
      await apply({ onFailure: 'open' });
      assert.match((await greeting(person, one.ipv4, 21)) ?? '', /^control /);
      await good(root.ask({ kind: 'clear' }));
    }
  });
});

function text(host: string, n: number): string {
  const parsed = { address: address(host), port: port(n) };
  return parsed.address.includes(':')
    ? `[${parsed.address}]:${parsed.port}`
    : `${parsed.address}:${parsed.port}`;
}
