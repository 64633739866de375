// What the workers ask about a connection: what is known of its server, where it was going, and whether what the server shows is to be
// trusted.
import type { Connection } from '../../shared/trust.js';
import { policyOf, type Config } from '../config.js';
import type { ConnectionOrigin } from '../divert/diverter.js';
import type { WorkerAnswer, WorkerRequest } from '../pool/messages.js';
import { SAFETP_NAME } from '../security/safetp-name.js';
import type { Log } from '../sys/log.js';
import type { TrustService } from '../trust/trust-service.js';
import type { DeviceSessions } from './device-sessions.js';
import type { Pauses } from './pauses.js';
import type { RedirectSide } from './redirect-side.js';
import type { ServerNames } from './server-names.js';
import type { ServerPolicy } from './server-policy.js';
import type { ServerRegistry } from './server-registry.js';
import type { StrongServers } from './strong-servers.js';

export interface WorkerAnswersOptions {
  readonly config: Config;
  readonly log: Pick<Log, 'warn'>;
  readonly redirect: Pick<RedirectSide, 'originOf'> | undefined;
  readonly registry: ServerRegistry | undefined;
  readonly names: ServerNames;
  readonly policy: ServerPolicy;
  readonly trust: TrustService;
  readonly devices: DeviceSessions;
  readonly pauses: Pauses;
  readonly strong: StrongServers;
}

export class WorkerAnswers {
  readonly #options: WorkerAnswersOptions;

  constructor(options: WorkerAnswersOptions) {
    this.#options = options;
  }

  async to(request: WorkerRequest): Promise<WorkerAnswer> {
    const { registry, redirect } = this.#options;
    switch (request.kind) {
      case 'begin':
        return this.#begin(request.connection);
      case 'reserve':
        if (registry === undefined) return { kind: 'reserved' };
        return { kind: 'reserved', activePort: await registry.reserve(request.address) };
      case 'origin':
        return originAnswer(await redirect?.originOf(request));
      case 'judge':
        return this.#judge(request);
    }
  }

  async #judge(request: Extract<WorkerRequest, { readonly kind: 'judge' }>): Promise<WorkerAnswer> {
    const { policy, trust, log } = this.#options;
    const { sessionId, question } = request;
    const connection = this.#renamed(request.connection);
    const decision = await trust.judge(sessionId, connection, await policy.of(connection), question);
    if (decision.kind === 'allow' && decision.warning !== undefined) {
      log.warn(decision.warning, { session: sessionId });
    }
    return { kind: 'decided', decision };
  }

  async #begin(connection: Connection): Promise<WorkerAnswer> {
    const { devices, names, trust, strong, policy } = this.#options;
    const refused = connection.forwarded === true ? devices.admit(connection) : undefined;
    if (refused !== undefined) return this.#notBegun(connection, refused);
    const naming = await names.of(connection);
    const named = { ...connection, ...naming };
    const knownSecure = trust.knownSecure(named);
    const strongOnly =
      strong.has(named.server) || (knownSecure && !(await trust.onlyKnownBy(named, SAFETP_NAME)));
    return {
      kind: 'begun',
      knownSecure,
      strongOnly,
      paused: this.#isPaused(named),
      ...policy.begunWith(naming, connection, knownSecure),
    };
  }

  #notBegun({ client, server }: Connection, refused: string): WorkerAnswer {
    this.#options.log.warn('a device was refused', {
      client: client.address,
      server: server.address,
      refused,
    });
    return { kind: 'begun', knownSecure: true, strongOnly: true, paused: false, refused };
  }

  #renamed(connection: Connection): Connection {
    const { name, nameFrom, alsoNamed, namesIncomplete, ...rest } = connection;
    const known = { name, nameFrom, alsoNamed, namesIncomplete };
    return { ...rest, ...this.#options.names.refreshed(known, connection.server) };
  }

  /** What the administrator wants encrypted is not for a person to pause. */
  #isPaused(connection: Connection): boolean {
    const { pauses, config } = this.#options;
    if (pauses.untilOf(connection.uid) === undefined) return false;
    return policyOf(config, connection).fallback.cleartext !== 'refuse';
  }
}

function originAnswer(origin: ConnectionOrigin | undefined): WorkerAnswer {
  if (origin === undefined) return { kind: 'origin' };
  const { client, server, uid } = origin;
  return { kind: 'origin', origin: { client, server, ...(uid === undefined ? {} : { uid }) } };
}
