// A server of the soak: it can start again on the same address with the same files, also with another key.
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { serverUid } from '../lab/harness/account.js';
import type { Certificate } from '../lab/harness/certificates.js';
import type { Lab } from '../lab/harness/lab.js';
import type { ServerAddress } from '../lab/harness/network.js';
import { startServer, type LabServer, type ServerKind } from '../lab/harness/server.js';

export class SoakServer {
  readonly name: string;
  readonly kind: ServerKind;
  readonly address: ServerAddress;
  readonly #lab: Lab;
  readonly #folder: string;
  #certificate: Certificate;
  #running: LabServer | undefined;

  constructor(lab: Lab, name: string, kind: ServerKind, certificate: Certificate) {
    this.name = name;
    this.kind = kind;
    this.address = lab.network.nextAddress();
    this.#lab = lab;
    this.#folder = path.join(lab.folder, `soak-${name}`);
    this.#certificate = certificate;
  }

  /** Its login folder. */
  get home(): string {
    return path.join(this.#folder, 'home');
  }

  get certificate(): Certificate {
    return this.#certificate;
  }

  async start(certificate = this.#certificate): Promise<void> {
    this.#certificate = certificate;
    const where = { namespace: this.#lab.network.srv, address: this.address, folder: this.#folder };
    this.#running = await startServer(this.kind, where, certificate);
  }

  /** Ends it and every session of it. */
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** Makes a folder below its login folder, its own. */
  folder(name: string): string {
    const folder = path.join(this.home, name);
    mkdirSync(folder, { recursive: true });
    chownSync(folder, serverUid, serverUid);
    return folder;
  }

  put(name: string, bytes: Buffer): void {
    const file = path.join(this.home, name);
    writeFileSync(file, bytes);
    chownSync(file, serverUid, serverUid);
  }
}
