// The FTP session behind the server proxy: a backend that is spoken to in clear, and what of its replies the client may see.
import type { HostPolicy } from '../../../shared/policy.js';
import type { Command } from '../../ftp/command-reader.js';
import type { Effect } from '../../ftp/effects.js';
import type { Event } from '../../ftp/events.js';
import { Session } from '../../ftp/session.js';
import { FeatureReply } from './feature-reply.js';
import type { ServeContext, ServeView } from './policy.js';

/** Plain by decision, so that nobody is asked. */
const BACKEND_POLICY: HostPolicy = {
  mode: 'plain',
  trust: { unknown: 'refuse', caValid: 'ask', replicate: 'ask', promptTimeoutMs: 1 },
  fallback: { cleartext: 'allow' },
  data: { protection: 'clear', allowForeignAddress: false },
  tls: { minVersion: 'TLSv1.3', mechanisms: [] },
  name: 'the FTP server behind this proxy',
};

/** Harmless commands that leave something behind: what was said in clear must not count after AUTH. */
const LASTING_VERBS: readonly string[] = ['CLNT', 'OPTS', 'LANG', 'HOST'];

/** One connection to the backend after another, for one client. Events in, effects out, as in daemon/ftp. */
export class BackendLeg {
  readonly #context: ServeContext;
  #session: Session;
  #features: FeatureReply | undefined;
  #lasting = false;

  constructor(context: ServeContext) {
    this.#context = context;
    this.#session = newSession(context, 'forward');
  }

  start(): readonly Effect[] {
    return this.#session.start();
  }

  /** The replies among the effects are as the client may see them. */
  step(event: Event): readonly Effect[] {
    return this.#session
      .step(event)
      .map((effect) =>
        effect.kind === 'sendClient'
          ? { kind: 'sendClient', bytes: this.#withFeatures(effect.bytes) }
          : effect,
      );
  }

  /** Passes a command on; a reply to FEAT gets the proxy's own features. */
  take(command: Command): readonly Effect[] {
    if (LASTING_VERBS.includes(command.verb)) this.#lasting = true;
    if (command.verb === 'FEAT') this.#features = new FeatureReply(this.#context.policy.mechanisms);
    return this.step({ kind: 'clientBytes', bytes: command.line });
  }

  /**
   * After AUTH: if the client, or somebody in between, has set anything up in clear, the backend gets a new connection, whose greeting
   * is not shown.
   */
  forgetClear(): readonly Effect[] {
    if (!this.#lasting) return [];
    this.#lasting = false;
    this.#session = newSession(this.#context, 'swallow');
    return [{ kind: 'hangUpServer' }, ...this.#session.start()];
  }

  /** Commands may come: it has greeted, and no reply to FEAT is under way. */
  get isOpen(): boolean {
    const { phase } = this.#session;
    return (phase === 'plain' || phase === 'cleartext') && this.#features === undefined;
  }

  /** Whatever it speaks is not FTP. */
  get isForeign(): boolean {
    const { phase } = this.#session;
    return phase === 'passthrough' || phase === 'tunnel';
  }

  get wantsClient(): boolean {
    return this.#session.wantsClient;
  }

  get atRest(): boolean {
    return this.#session.atRest;
  }

  view(): Pick<ServeView, 'transfers' | 'cut'> {
    const { transfers, cut } = this.#session.view();
    return { transfers, cut };
  }

  #withFeatures(bytes: Uint8Array): Uint8Array {
    const features = this.#features;
    if (features === undefined) return bytes;
    const passed = features.take(bytes);
    if (features.over) this.#features = undefined;
    return passed;
  }
}

function newSession(
  { backend, client, noEpsv, passiveProven }: ServeContext,
  greeting: 'forward' | 'swallow',
): Session {
  return new Session({
    policy: BACKEND_POLICY,
    server: backend,
    client,
    knownSecure: false,
    greeting,
    dataPath: 'proxied',
    noEpsv,
    passiveProven,
  });
}
