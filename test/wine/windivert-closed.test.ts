// `on_failure = "closed"` on Windows: what refuses FTP when the process that holds WinDivert's handle is gone, with stand-ins for the
// driver and for Windows' filters. What Windows does with filters is the stand-in's reading of its documentation.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { waitFor } from '../lab/harness/command.js';
import { net, plan, server } from '../daemon/divert/plan-fixture.js';
import { flag, packet } from '../daemon/divert/windows/packet-fixture.js';
import { Wine } from './harness/wine.js';
import { Engine } from './windivert/engine.js';
import { StandInFilters, type Attempt } from './windivert/filters.js';
import { StandInNetwork, buildStandIn } from './windivert/stand-in.js';
import type { DivertPlan } from '../../daemon/divert/diverter.js';

const servers = [server('192.0.2.9', 23_300), server('2001:db8::9', 23_301)];
const exemptNets = [net('198.51.100.128/25'), net('2001:db8:5::/48')];
const ftp: readonly Attempt[] = [
  { family: 4, host: '192.0.2.1', port: 21 },
  { family: 6, host: '2001:db8::1', port: 21 },
  // A data connection of a session, whose server knows nothing of that port.
  { family: 4, host: '192.0.2.9', port: 23_209 },
  { family: 6, host: '2001:db8::9', port: 21_210 },
];
const other: readonly Attempt[] = [
  { family: 4, host: '192.0.2.1', port: 22 },
  { family: 4, host: '192.0.2.1', port: 22_000 },
  { family: 6, host: '2001:db8::9', port: 443 },
  { family: 4, host: '127.0.0.1', port: 21 },
  { family: 6, host: '::1', port: 21 },
  { family: 4, host: '198.51.100.130', port: 21 },
  { family: 6, host: '2001:db8:5::1', port: 21 },
];

describe('FTP when ftpseal is gone, on Windows', { timeout: 240_000 }, () => {
  let wine: Wine;
  let dll: string;
  let network: StandInNetwork;
  let filters: StandInFilters;
  let engine: Engine;

  before(async () => {
    wine = Wine.open();
    dll = buildStandIn(path.join(wine.folder, 'windivert'));
    network = await StandInNetwork.open();
    filters = new StandInFilters(wine);
  });
  afterEach(() => die());
  after(async () => {
    network.close();
    await wine.close();
  });

  const start = async (): Promise<void> => {
    engine = await Engine.start(wine, network, dll, filters.environment);
  };
  const apply = (onFailure: 'open' | 'closed', changes: Partial<DivertPlan> = {}) =>
    engine.ask({ kind: 'apply', plan: plan({ servers, exemptNets, ...changes }), onFailure });
  const note = (): string => path.join(wine.driveC, 'ftp-is-refused.txt');
  const refused = (attempts: readonly Attempt[]) => attempts.filter((one) => !filters.passes(one));
  const die = async (): Promise<void> => {
    await engine.process.kill();
    filters.processDied();
  };
  /** Which of these clients' lines leaves for the server: connections that the engine has not seen open. */
  const passing = async (...clients: readonly number[]): Promise<readonly number[]> => {
    const { handle } = network;
    const to = { from: '10.0.0.1', to: '192.0.2.9', toPort: 21 };
    const lines = clients.map((fromPort) =>
      packet({ ...to, fromPort, flags: flag.ack, payload: Buffer.from('PASS secret\r\n') }),
    );
    // Packets are judged in order: when this one has come back, all others have been judged.
    handle.arrive([...lines, packet({ ...to, fromPort: 40_000, flags: flag.syn })]);
    await waitFor('the last packet', () => handle.sent.at(-1)?.index === clients.length);
    return handle.sent.slice(0, -1).map(({ index }) => clients[index] ?? 0);
  };

  it('asks nothing of Windows where it may go on open', async () => {
    await start();
    assert.deepEqual(await apply('open'), {});
    assert.deepEqual(await engine.ask({ kind: 'clear' }), {});
    assert.deepEqual(filters.left, []);
    assert.ok(!existsSync(note()));
  });

  it('refuses FTP from the moment that it is killed, and nothing else', async () => {
    await start();
    assert.deepEqual(await apply('closed'), {});
    assert.deepEqual(refused([...ftp, ...other]), [], 'while it runs all goes to the engine');
    await die();
    assert.deepEqual(refused([...ftp, ...other]), ftp);
    assert.ok(existsSync(note()));
  });

  it('goes on refusing until the next one’s redirect stands', async () => {
    await start();
    network.openError = 2;
    assert.match((await apply('closed')).error ?? '', /driver file/);
    assert.deepEqual(refused(ftp), ftp, 'without the driver FTP is refused');
    network.openError = 0;
    assert.deepEqual(await apply('closed'), {});
    assert.deepEqual(refused(ftp), []);
  });

  it('follows servers and ports', async () => {
    await start();
    await apply('closed', { servers: [], exemptNets: [] });
    await apply('closed', { servers: [server('203.0.113.7', 23_300)] });
    await die();
    assert.deepEqual(refused(ftp), ftp.slice(0, 2));
    assert.equal(filters.passes({ family: 4, host: '203.0.113.7', port: 22_000 }), false);
    assert.deepEqual(refused(other), []);
  });

  it('lets no packet of a session pass that one before it has lost', async () => {
    await start();
    await apply('open');
    assert.deepEqual(refused(ftp), [], 'what the one before has left is gone');
    assert.deepEqual(filters.left, []);
    assert.deepEqual(await passing(41_000), []);
  });

  it('lets connections pass that are older than the first', async () => {
    await start();
    await apply('open');
    assert.deepEqual(await passing(41_000), [41_000]);
  });

  it('leaves nothing when it ends in order', async () => {
    await start();
    await apply('closed');
    assert.deepEqual(await engine.ask({ kind: 'clear' }), {});
    assert.deepEqual(filters.left, []);
    assert.ok(!existsSync(note()));
  });

  it('secures FTP also where Windows takes no filter, and says what that means', async () => {
    await start();
    filters.refuse(5);
    assert.match((await apply('closed')).sentence ?? '', /could not be given a filter \(error 0x5\)/);
    filters.refuse(0);
    assert.deepEqual(refused(ftp), []);
    assert.match(network.handle.filter, /^outbound/);
  });
});
