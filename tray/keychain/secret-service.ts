// Whether the user's keychain (Secret Service over D-Bus: gnome-keyring, KWallet) can be used now, found out without a
// window that asks for a password.
import { sessionBusAddress } from '../bus/session-bus.js';
import type { KeychainState } from './vault.js';
import { BusFailure, KeychainBus, type BusSignal } from './keychain-bus.js';

const service = 'org.freedesktop.secrets';
const root = '/org/freedesktop/secrets';
/** What signals don't tell (a service that comes, a bus that goes) is noticed this soon. */
const pollMs = 2000;

const ready: KeychainState = { kind: 'ready' };
const states = {
  locked: {
    kind: 'locked',
    sentence:
      'Your keychain is locked, so connections that need your keys are refused. Unlock it with your desktop’s password program.',
  },
  noBus: {
    kind: 'absent',
    sentence:
      'There is no desktop session bus (D-Bus) here, so your keychain can’t be reached. Start the tray from your desktop session.',
  },
  noService: {
    kind: 'absent',
    sentence:
      'No keychain runs in your desktop session. Install and start one (gnome-keyring or KWallet), or keep keys in the daemon’s file: trust.store = "file".',
  },
  noCollection: {
    kind: 'absent',
    sentence:
      'Your keychain has no default collection yet. Create one with your desktop’s password program (for example Passwords and Keys).',
  },
  slow: {
    kind: 'slow',
    sentence: 'Your keychain does not answer. Perhaps a window waits for its password.',
  },
  opening: { kind: 'slow', sentence: 'Your keychain is being opened.' },
} as const satisfies Readonly<Record<string, KeychainState>>;

export const keychainIsSlow: KeychainState = states.slow;

/** Looks at once, at each hint of a change, and every two seconds. `close` ends it. */
export class SecretServiceWatch {
  readonly #env: NodeJS.ProcessEnv;
  readonly #onChange: () => void;
  #state: KeychainState = states.opening;
  #bus: KeychainBus | undefined;
  #checking: Promise<KeychainState> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(env: NodeJS.ProcessEnv, onChange: () => void) {
    this.#env = env;
    this.#onChange = onChange;
    void this.check();
  }

  get state(): KeychainState {
    return this.#state;
  }

  /** Looks again now. Never rejects. */
  check(): Promise<KeychainState> {
    this.#checking ??= this.#look().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#bus?.close();
  }

  async #look(): Promise<KeychainState> {
    clearTimeout(this.#timer);
    const state = await this.#find().catch(stateOf);
    if (this.#closed) return state;
    this.#timer = setTimeout(() => void this.check(), pollMs);
    const changed = state !== this.#state;
    this.#state = state;
    if (changed) this.#onChange();
    return state;
  }

  async #find(): Promise<KeychainState> {
    const bus = await this.#connected();
    if (bus === undefined) return states.noBus;
    const [collection] = await bus.call({
      destination: service,
      path: root,
      interface: 'org.freedesktop.Secret.Service',
      member: 'ReadAlias',
      signature: 's',
      body: ['default'],
    });
    if (typeof collection !== 'string' || collection === '/') return states.noCollection;
    const [locked] = await bus.call({
      destination: service,
      path: collection,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      signature: 'ss',
      body: ['org.freedesktop.Secret.Collection', 'Locked'],
    });
    return isFalse(locked) ? ready : states.locked;
  }

  async #connected(): Promise<KeychainBus | undefined> {
    if (this.#closed) return undefined;
    if (this.#bus?.dead === false) return this.#bus;
    const address = sessionBusAddress(this.#env);
    if (address === undefined) return undefined;
    const bus = new KeychainBus(address, (signal) => {
      if (isHint(signal)) void this.#afterCheck();
    });
    this.#bus = bus;
    for (const rule of [
      `type='signal',path_namespace='${root}'`,
      `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${service}'`,
    ]) {
      await bus.call({
        destination: 'org.freedesktop.DBus',
        path: '/org/freedesktop/DBus',
        interface: 'org.freedesktop.DBus',
        member: 'AddMatch',
        signature: 's',
        body: [rule],
      });
    }
    return bus;
  }

  /** A check under way may have looked before the change. */
  async #afterCheck(): Promise<void> {
    await this.#checking;
    await this.check();
  }
}

function isHint({ interface: from, member, body }: BusSignal): boolean {
  if (member === 'NameOwnerChanged') return true;
  if (from === 'org.freedesktop.Secret.Service') return true;
  if (member !== 'PropertiesChanged' || body[0] !== 'org.freedesktop.Secret.Collection') return false;
  return typeof body[1] === 'object' && body[1] !== null && 'Locked' in body[1];
}

function isFalse(variant: unknown): boolean {
  return typeof variant === 'object' && variant !== null && 'value' in variant && variant.value === false;
}

function stateOf(error: unknown): KeychainState {
  if (!(error instanceof BusFailure)) return states.slow;
  if (error.kind === 'gone') return states.noBus;
  if (error.kind === 'silent') return states.slow;
  return error.errorName.includes('NoSuchObject') || error.errorName.includes('UnknownObject')
    ? states.noCollection
    : states.noService;
}
