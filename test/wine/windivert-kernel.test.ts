// The redirect layer of Windows on a real TCP stack: the engine runs under Wine behind the stand-in driver, whose packets are those
// of a lab host's kernel (over a TUN device). Sums are those of WinDivert's own function, and the kernel checks them.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { plan, server, twoWorkers } from '../daemon/divert/plan-fixture.js';
import { argvAt, must, run } from '../lab/harness/command.js';
import { openNetwork, type Network, type ServerAddress } from '../lab/harness/network.js';
import { startAgent, type Agent } from '../lab/redirect/agent-process.js';
import type { Answer } from '../lab/redirect/protocol.js';
import { stagedProgram } from '../lab/redirect/staged.js';
import { resultSchema, type Result, type Task } from '../lab/tun/client.js';
import { parseEndpoint, type Endpoint } from '../../shared/endpoint.js';
import { Wine } from './harness/wine.js';
import { Engine } from './windivert/engine.js';
import { formatMessage } from './windivert/messages.js';
import { StandInNetwork, buildStandIn } from './windivert/stand-in.js';

const proxyUid = 21021;
const personUid = 30001;
const own = { 4: '10.22.0.2', 6: 'fd22::2' } as const;
const activePort = { 4: 23300, 6: 23301 } as const;
/** Wine walks through the descriptors of all processes of the machine to tell the owner of a connection: up to a second each. */
const clientPatienceMs = 240_000;
const atOnce = 12;
const skip = process.geteuid?.() === 0 ? false : 'needs root for network namespaces';

function point(written: string | undefined): Endpoint {
  const parsed = parseEndpoint(written ?? '');
  assert.ok(parsed, `${written ?? 'nothing'} is an endpoint`);
  return parsed;
}

async function good(asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked;
  assert.equal(answer.error, undefined);
  return answer;
}

describe('the redirect layer of Windows, on the kernel’s packets', { skip, timeout: 900_000 }, () => {
  let wine: Wine;
  let driver: StandInNetwork;
  let engine: Engine;
  let network: Network;
  let bridge: ChildProcess;
  let one: ServerAddress;
  let servers: Agent;
  let proxy: Agent;
  let person: Agent;

  before(async () => {
    network = await openNetwork();
    one = network.nextAddress();
    servers = startAgent(network.srv);
    proxy = startAgent(network.pc, { uid: proxyUid });
    person = startAgent(network.pc, { uid: personUid });
    for (const host of [one.ipv4, one.ipv6]) await listen(servers, host, 21, 'server');
    for (const { control, data } of twoWorkers) {
      await listen(proxy, '::', control, `control ${control}`);
      await listen(proxy, '::', data, `data ${data}`);
    }
    wine = Wine.open();
    driver = await StandInNetwork.open();
    bridge = startBridge();
    await once(bridge, 'message');
    engine = await Engine.start(wine, driver, buildStandIn(path.join(wine.folder, 'windivert')));
    await apply();
  });
  after(async () => {
    driver.close();
    await wine.close();
    bridge.kill('SIGKILL');
    for (const agent of [servers, proxy, person]) await agent.kill();
    await network.close();
  });

  function startBridge(): ChildProcess {
    const file = path.join(import.meta.dirname, 'windivert/tun-bridge.js');
    const [program = '', ...argv] = argvAt({ namespace: network.pc }, [process.execPath, file]);
    const child = spawn(program, argv, { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] });
    child.stdout?.on('data', (bytes: Buffer) => {
      driver.handles.at(-1)?.give(bytes);
    });
    driver.onSent = ({ kind, body }) => {
      child.stdin?.write(formatMessage(kind, body));
    };
    return child;
  }
  async function listen(agent: Agent, host: string, at: number, greeting: string): Promise<void> {
    await good(agent.ask({ kind: 'listen', host, port: at, greeting }));
  }
  async function apply(): Promise<void> {
    const wanted = plan({ servers: [server(one.ipv4, activePort[4]), server(one.ipv6, activePort[6])] });
    assert.deepEqual(await engine.ask({ kind: 'apply', plan: wanted }), {});
    bridge.send(wanted);
    await once(bridge, 'message');
  }
  function connect(agent: Agent, host: string, to: number, from = {}): Promise<Answer> {
    return good(agent.ask({ kind: 'connect', host, port: to, from }));
  }
  async function lastAccepted(agent: Agent, at: number) {
    const { accepted = [] } = await good(agent.ask({ kind: 'accepted' }));
    const found = accepted.filter((entry) => entry.port === at).at(-1);
    assert.ok(found, `nothing was accepted at ${at}`);
    return found;
  }
  async function client(task: Task): Promise<Result> {
    const argv = [process.execPath, stagedProgram('../tun/client.js'), JSON.stringify(task)];
    const { code, stdout, stderr } = await run({ namespace: network.pc, uid: personUid }, argv, {
      timeoutMs: clientPatienceMs,
    });
    assert.equal(code, 0, stderr);
    return resultSchema.parse(JSON.parse(stdout));
  }

  for (const family of [4, 6] as const) {
    const host = () => (family === 4 ? one.ipv4 : one.ipv6);
    const text = (address: string, at: number) => (family === 4 ? `${address}:${at}` : `[${address}]:${at}`);
    const me = own[family];

    it(`IPv${family}: the client sees its server, the proxy learns where it was going`, async () => {
      const answer = await connect(person, host(), 21);
      assert.equal(answer.remote, text(host(), 21));
      assert.match(answer.greeting ?? '', /^control /);
      const worker = Number(answer.greeting?.split(' ')[1]);
      const { peer } = await lastAccepted(proxy, worker);
      const { origin } = await engine.ask({
        kind: 'origin',
        peer: point(peer),
        local: point(text(me, worker)),
      });
      assert.deepEqual(origin, { client: point(answer.local), server: point(text(host(), 21)) });
      const said = await person.ask({ kind: 'say', id: answer.id ?? 0, text: 'NOOP' });
      assert.equal(said.greeting, 'NOOP');
    });

    it(`IPv${family}: the proxy itself reaches the server, and a data port its worker`, async () => {
      assert.equal((await connect(proxy, host(), 21)).greeting, 'server');
      assert.equal((await connect(person, host(), 21_500)).greeting, 'data 31101');
      assert.equal((await connect(person, host(), 22_500)).greeting, 'data 31109');
    });

    it(`IPv${family}: an active data connection comes from the server, port 20`, async () => {
      const mine = 40_010 + family;
      await listen(person, me, mine, 'client');
      const from = { host: me, port: activePort[family] };
      assert.equal((await connect(proxy, host(), mine, from)).greeting, 'client');
      assert.equal((await lastAccepted(person, mine)).peer, text(host(), 20));
    });

    it(`IPv${family}: half-close with 1 MB coming back, and a dozen at once`, async () => {
      for (const task of [
        { count: 1, bytes: 1_000_000 },
        { count: atOnce, bytes: 10_000 },
      ]) {
        const { greetings, same, errors } = await client({ host: host(), port: 21, ...task });
        assert.deepEqual(
          { count: greetings.length, same, errors },
          { count: task.count, same: true, errors: [] },
        );
        assert.ok(greetings.every((greeting) => greeting.startsWith('control ')));
      }
    });
  }

  it('and not one checksum was wrong, on either host; nothing that was sent was refused', async () => {
    for (const namespace of [network.pc, network.srv]) {
      const lines = (await must({ namespace }, ['cat', '/proc/net/snmp'])).split('\n');
      const [heads = '', values = ''] = lines.filter((line) => line.startsWith('Tcp:'));
      assert.equal(Number(values.split(' ')[heads.split(' ').indexOf('InCsumErrors')]), 0);
    }
    assert.ok(!driver.handle.events.some((event) => event.startsWith('refused')));
  });
});
