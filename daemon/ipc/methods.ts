// The IPC methods: what each gives, and to whom.
import { Fault } from '../../shared/fault.js';
import type { ConfigView, SessionView, Status } from '../../shared/ipc-messages.js';
import type { Connection } from '../../shared/trust.js';
import type { History } from '../history/history.js';
import type { SessionState } from '../pool/messages.js';
import type { Pauses } from '../proxy/pauses.js';
import type { SessionTable } from '../proxy/session-table.js';
import type { Log, LogFields } from '../sys/log.js';
import type { FixedKeys } from '../trust/fixed-keys.js';
import type { PromptBroker } from '../trust/prompt-broker.js';
import type { TrustStore } from '../trust/store.js';
import type { TrustService } from '../trust/trust-service.js';
import { maySeeUid, mayUse, requireAll, type Actor } from './actor.js';
import { agentMethods, type AgentRegistry } from './agents.js';
import type { Channel } from './channel.js';
import type { MethodTable } from './dispatch.js';
import { configMethods } from './config-methods.js';
import { historyMethods, keysEvent } from './history-methods.js';
import { keysMethods } from './keys-methods.js';

/** What the methods need of the proxy. */
export interface IpcWorld {
  readonly sessions: SessionTable;
  readonly store: TrustStore;
  /** The administrator's keys, which everybody sees and nobody changes here. */
  readonly fixed: Pick<FixedKeys, 'records' | 'folder'>;
  /** Whether people decide about keys, or the administrator alone (users.may_trust). */
  readonly mayTrust: boolean;
  readonly broker: PromptBroker;
  readonly trust: TrustService;
  readonly history: History;
  readonly config: ConfigView;
  readonly pauses: Pauses;
  readonly agents: AgentRegistry;
  readonly log: Log;
  readonly now: () => number;
  /** The part of the status that is the same for every caller. */
  readonly state: () => Omit<Status, 'sessions' | 'questions' | 'warnings'> & {
    readonly troubles: readonly string[];
  };
  readonly closeSession: (id: string) => void;
  /** Never rejects. */
  readonly programOf: (connection: Connection) => Promise<string | undefined>;
}

export function ipcMethodTable(world: IpcWorld): MethodTable {
  const note = (message: string, fields: LogFields) => {
    world.log.info(message, fields);
    world.history.add(keysEvent(message, fields, world.now()));
  };
  return {
    status: (_params, { actor }) => statusFor(world, actor),
    ...sessionMethods(world),
    ...keysMethods({ ...world, note }),
    ...promptMethods(world),
    ...historyMethods(world.history),
    ...configMethods(world.config),
    ...agentMethods(world.agents),
    ...pauseMethods(world),
    'log.tail': async ({ lines, follow }, channel) => {
      requireAll(channel.actor, 'read the log: it tells about every user');
      const tail = await world.log.tail(lines);
      if (follow) {
        channel.follow('log.line', () =>
          world.log.subscribe((line) => {
            channel.notify('log.line', { line });
          }),
        );
      }
      return { lines: [...tail] };
    },
  };
}

function ownSessions(world: IpcWorld, actor: Actor): readonly SessionState[] {
  return world.sessions.list().filter((state) => maySeeUid(actor, state.connection.uid));
}

/** The status as this actor sees it. */
export function statusFor(world: IpcWorld, actor: Actor): Status {
  const sessions = ownSessions(world, actor);
  const secured = sessions.filter((state) => state.protection === 'secured').length;
  const cleartext = sessions.filter((state) => state.protection === 'cleartext');
  const { troubles, ...state } = world.state();
  const inClear = [...new Set(cleartext.map((one) => one.connection.name ?? one.connection.server.address))];
  const pausedUntil = world.pauses.untilOf(actor.uid);
  const trouble = world.store.trouble({ kind: 'user', uid: actor.uid });
  const keychain = trouble === undefined ? [] : [trouble];
  const warning =
    inClear.length > 0 ? [`Not encrypted now: sessions to ${inClear.slice(0, 5).join(', ')}.`] : [];
  return {
    ...state,
    sessions: {
      total: sessions.length,
      secured,
      cleartext: cleartext.length,
      other: sessions.length - secured - cleartext.length,
    },
    ...(pausedUntil === undefined ? {} : { pausedUntil }),
    questions: world.broker.list().filter((question) => mayUse(actor, question.owner)).length,
    warnings: [
      ...pauseWarning(pausedUntil, world.now()),
      ...keychain,
      ...warning,
      ...state.keysFolder.troubles,
      ...troubles,
    ],
  };
}

function pauseWarning(until: number | undefined, now: number): readonly string[] {
  if (until === undefined) return [];
  const minutes = Math.max(1, Math.ceil((until - now) / 60_000));
  return [`Paused by you for ${minutes} more min: your FTP connections are not encrypted.`];
}

type PauseTable = Pick<MethodTable, 'pause' | 'resume'>;

/** A pause is the caller's own and nobody else's, root's included. */
function pauseMethods({ pauses, log }: IpcWorld): PauseTable {
  return {
    pause: ({ minutes }, { actor }) => {
      const until = pauses.start(actor.uid, minutes * 60_000);
      log.warn('paused by a person: their new connections are not encrypted', { uid: actor.uid, minutes });
      return { until };
    },
    resume: (_params, { actor }) => {
      pauses.end(actor.uid);
      log.info('pause ended by a person', { uid: actor.uid });
      return {};
    },
  };
}

type SessionsTable = Pick<MethodTable, 'sessions.list' | 'sessions.watch' | 'sessions.close'>;

function sessionMethods(world: IpcWorld): SessionsTable {
  const programs = new Map<string, string | undefined>();
  const view = (state: SessionState): SessionView => {
    const program = programs.get(state.id);
    return { state, ...(program === undefined ? {} : { program }) };
  };
  const learnProgram = async (state: SessionState): Promise<void> => {
    if (programs.has(state.id)) return;
    programs.set(state.id, undefined);
    const program = await world.programOf(state.connection);
    // The session may have ended meanwhile; then nothing would remove the entry again.
    if (programs.has(state.id)) programs.set(state.id, program);
  };
  world.sessions.subscribe((change) => {
    if (change.kind === 'ended') programs.delete(change.state.id);
  });
  const views = async (actor: Actor): Promise<SessionView[]> => {
    await Promise.all(ownSessions(world, actor).map(learnProgram));
    return ownSessions(world, actor).map(view);
  };
  return {
    'sessions.list': async (_params, { actor }) => ({ sessions: await views(actor) }),
    'sessions.watch': async (_params, channel) => {
      await views(channel.actor);
      // No pause between these two: nothing is missed and nothing comes before the state that it changes.
      channel.notify('sessions.event', {
        kind: 'all',
        sessions: ownSessions(world, channel.actor).map(view),
      });
      channel.follow('sessions.event', () =>
        world.sessions.subscribe((change) => {
          if (!maySeeUid(channel.actor, change.state.connection.uid)) return;
          if (change.kind === 'changed') void learnProgram(change.state);
          channel.notify(
            'sessions.event',
            change.kind === 'changed'
              ? { kind: 'changed', session: view(change.state) }
              : { kind: 'ended', id: change.state.id, reason: change.reason },
          );
        }),
      );
      return {};
    },
    'sessions.close': ({ id }, { actor }) => {
      const row = world.sessions.find(id);
      if (row === undefined) throw new Fault('usage', `No session has the number ${id}.`);
      if (!maySeeUid(actor, row.state.connection.uid)) {
        throw new Fault('not-permitted', 'This session belongs to another user.');
      }
      world.closeSession(id);
      return {};
    },
  };
}

type PromptsTable = Pick<MethodTable, 'prompts.list' | 'prompts.watch' | 'prompts.answer' | 'prompts.hold'>;

function promptMethods({ broker, trust }: IpcWorld): PromptsTable {
  const visible = (actor: Actor) => broker.list().filter((question) => mayUse(actor, question.owner));
  const watch = (channel: Channel) => {
    channel.notify('prompts.event', { kind: 'all', questions: visible(channel.actor) });
    channel.follow('prompts.event', () =>
      broker.subscribe((event) => {
        const owner = event.kind === 'closed' ? event.owner : event.question.owner;
        if (!mayUse(channel.actor, owner)) return;
        channel.notify('prompts.event', event.kind === 'closed' ? { kind: 'closed', id: event.id } : event);
      }),
    );
  };
  return {
    'prompts.list': (_params, { actor }) => ({ questions: visible(actor) }),
    'prompts.watch': (_params, channel) => {
      watch(channel);
      return {};
    },
    'prompts.answer': async ({ id, answer }, { actor }) => {
      requireOwnQuestion(broker, id, actor);
      return { waiting: await trust.answer(id, answer) };
    },
    'prompts.hold': ({ id }, { actor }) => {
      requireOwnQuestion(broker, id, actor);
      return { deadline: broker.hold(id).deadline };
    },
  };
}

function requireOwnQuestion(broker: PromptBroker, id: string, actor: Actor): void {
  const question = broker.find(id);
  if (question !== undefined && !mayUse(actor, question.owner)) {
    throw new Fault('not-permitted', 'This question is another user’s.');
  }
}
