// A real IPC server over a real store, broker and log, without workers: sessions are put into the table by the test.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { AgentRegistry } from '../../../daemon/ipc/agents.js';
import { dispatcher, type MethodTable } from '../../../daemon/ipc/dispatch.js';
import { ipcMethodTable, type IpcWorld } from '../../../daemon/ipc/methods.js';
import { IpcServer } from '../../../daemon/ipc/server.js';
import { socketPath } from '../../../daemon/ipc/socket-path.js';
import type { SessionState } from '../../../daemon/pool/messages.js';
import { Pauses } from '../../../daemon/proxy/pauses.js';
import { SessionTable } from '../../../daemon/proxy/session-table.js';
import { Log } from '../../../daemon/sys/log.js';
import { configView, givenKeys } from '../../../daemon/config-view.js';
import { parseConfig } from '../../../daemon/config-load.js';
import { History } from '../../../daemon/history/history.js';
import { HistoryRecorder } from '../../../daemon/history/recorder.js';
import { FileStore } from '../../../daemon/trust/file-store.js';
import { FixedKeys } from '../../../daemon/trust/fixed-keys.js';
import { PromptBroker } from '../../../daemon/trust/prompt-broker.js';
import { TrustService, type TrustEvent } from '../../../daemon/trust/trust-service.js';
import { connection } from '../trust/fixture.js';

export interface TestWorld {
  readonly folder: string;
  readonly path: string;
  readonly sessions: SessionTable;
  readonly broker: PromptBroker;
  readonly store: FileStore;
  /** Nothing, until its `load`: then what is in keys.d below `folder`. */
  readonly fixed: FixedKeys;
  readonly trust: TrustService;
  readonly log: Log;
  readonly agents: AgentRegistry;
  readonly server: IpcServer;
  /** For a second server after the first. */
  readonly table: MethodTable;
  readonly closed: string[];
  /** What the daemon would say of itself; the test changes it. */
  readonly state: { now: ReturnType<IpcWorld['state']> };
  close(): Promise<void>;
}

/** `close` takes everything away again. */
export async function makeWorld({ mayTrust = true, config = '' } = {}): Promise<TestWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'ftpseal-ipc-'));
  await chmod(folder, 0o711);
  const sessions = new SessionTable();
  const broker = new PromptBroker();
  const history = History.open(join(folder, 'state'));
  const recorder = new HistoryRecorder(history);
  broker.subscribe((event) => {
    recorder.question(event);
  });
  const store = await FileStore.open(join(folder, 'state'));
  const log = new Log({ stateDir: join(folder, 'state'), foreground: false, level: 'info' });
  const programOf = () => Promise.resolve('tnftp');
  const note = (message: string) => {
    log.info(message);
  };
  const observe = (event: TrustEvent) => {
    recorder.trust(event);
  };
  const trust = new TrustService({ store, broker, now: Date.now, programOf, note, observe });
  const fixed = new FixedKeys({
    folder: join(folder, 'keys.d'),
    also: [process.geteuid?.() ?? 0],
    note: () => undefined,
  });
  const state: TestWorld['state'] = {
    now: {
      version: '1',
      pid: 1,
      startedAt: 0,
      mode: 'redirect',
      redirect: { kind: 'active', ports: [] },
      workers: [{ index: 0, alive: true, sessions: 0, restarts: 0 }],
      keysFolder: { folder, keys: 0, troubles: [] },
      troubles: [],
    },
  };
  const closed: string[] = [];
  const agents = new AgentRegistry('file');
  const path = socketPath(folder);
  const table = ipcMethodTable({
    sessions,
    store,
    fixed,
    mayTrust,
    broker,
    trust,
    agents,
    pauses: new Pauses({ obstacle: undefined }),
    log,
    now: Date.now,
    history,
    config: configView(parseConfig(config, 'none'), {
      file: '/etc/ftpseal/config.toml',
      given: givenKeys(parse(config)),
    }),
    closeSession: (id) => closed.push(id),
    programOf,
    state: () => state.now,
  });
  const server = await IpcServer.listen(path, dispatcher(table));
  const close = async () => {
    broker.close();
    await server.close();
    fixed.close();
    await store.close();
    history.close();
    log.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    folder,
    path,
    sessions,
    broker,
    store,
    fixed,
    trust,
    log,
    agents,
    server,
    table,
    closed,
    state,
    close,
  };
}

export function sessionState(
  id: string,
  uid: number | undefined,
  fields: Partial<SessionState> = {},
): SessionState {
  const { server, client } = connection();
  return {
    id,
    connection: uid === undefined ? { server, client } : { server, client, uid },
    startedAt: 1,
    phase: 'secured',
    protection: 'secured',
    data: 'private',
    bytesUp: 0,
    bytesDown: 0,
    transfers: 0,
    ...fields,
  };
}
