// The keychain of the person who runs the tray, as the link offers it to the daemon.
import { Fault } from '../../shared/fault.js';
import { KeychainEntries } from './entries.js';
import { RecordVault } from './record-vault.js';
import { MAX_CREDENTIAL, SplitEntries } from './split-entries.js';
import { keychainIsSlow, SecretServiceWatch } from './secret-service.js';
import type { KeychainState, Vault, VaultChange, VaultPage } from './vault.js';

/** The keychain of this desktop session; undefined on operating systems whose keychain is not supported yet. */
export function openVault(env: NodeJS.ProcessEnv = process.env): Vault | undefined {
  if (process.platform === 'win32') return new CredentialVault();
  return process.platform === 'linux' ? new SecretServiceVault(env) : undefined;
}

/** Windows' Credential Manager: always there and open while its person is logged on. */
class CredentialVault implements Vault {
  readonly #listeners = new Set<(state: KeychainState) => void>();
  readonly #entries: KeychainEntries;
  readonly #records: RecordVault;

  constructor() {
    this.#entries = new KeychainEntries(() => {
      for (const listener of this.#listeners) listener(this.state);
    });
    this.#records = new RecordVault(new SplitEntries(this.#entries, MAX_CREDENTIAL));
  }

  get state(): KeychainState {
    return this.#entries.stuck ? keychainIsSlow : { kind: 'ready' };
  }

  subscribe(listener: (state: KeychainState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  read(from: number): Promise<VaultPage> {
    return this.#records.read(from);
  }

  write(change: VaultChange): Promise<void> {
    return this.#records.write(change);
  }

  close(): void {
    this.#listeners.clear();
  }
}

class SecretServiceVault implements Vault {
  readonly #listeners = new Set<(state: KeychainState) => void>();
  readonly #entries: KeychainEntries;
  readonly #records: RecordVault;
  readonly #watch: SecretServiceWatch;

  constructor(env: NodeJS.ProcessEnv) {
    const changed = () => {
      for (const listener of this.#listeners) listener(this.state);
    };
    this.#entries = new KeychainEntries(changed);
    this.#records = new RecordVault(this.#entries);
    this.#watch = new SecretServiceWatch(env, changed);
  }

  get state(): KeychainState {
    return this.#entries.stuck ? keychainIsSlow : this.#watch.state;
  }

  subscribe(listener: (state: KeychainState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async read(from: number): Promise<VaultPage> {
    await this.#requireReady();
    const page = await this.#records.read(from);
    // Entries of a keychain that was locked meanwhile look as if they were not there.
    await this.#requireReady();
    return page;
  }

  async write(change: VaultChange): Promise<void> {
    await this.#requireReady();
    await this.#records.write(change);
  }

  close(): void {
    this.#listeners.clear();
    this.#watch.close();
  }

  /** A locked keychain is never touched: that would open a window which asks for its password. */
  async #requireReady(): Promise<void> {
    await this.#watch.check();
    const { state } = this;
    if (state.kind !== 'ready') throw new Fault('store', state.sentence);
  }
}
