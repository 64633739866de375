// The users whose keys are in their keychains, so that they are looked for there, and nowhere else, also when no agent is
// connected. One small file beside the key store; no secret is in it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault } from '../../shared/fault.js';
import { writeFileAtomic } from '../sys/atomic-file.js';
import { userIdSchema } from '../../shared/user-id-schema.js';
import type { UserId } from '../../shared/user-id.js';

const fileName = 'keychain-users.json';
const schema = z.object({ version: z.literal(1), uids: z.array(userIdSchema).max(100_000) });

/** See the head of the file. Made by `open`. */
export class KeychainUsers {
  readonly #path: string;
  readonly #uids: Set<UserId>;
  #lastWrite: Promise<void> = Promise.resolve();

  private constructor(path: string, uids: Iterable<UserId>) {
    this.#path = path;
    this.#uids = new Set(uids);
  }

  /** In a folder that exists. A file that is damaged is a Fault of code `store`: guessing would show old keys as new. */
  static async open(folder: string): Promise<KeychainUsers> {
    const path = join(folder, fileName);
    try {
      return new KeychainUsers(path, schema.parse(JSON.parse(await readFile(path, 'utf8'))).uids);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
        return new KeychainUsers(path, []);
      throw new Fault(
        'store',
        `${path}, the list of users who keep their keys in a keychain, can’t be read. Repair it: {"version":1,"uids":[…]}.`,
        error,
      );
    }
  }

  has(uid: UserId): boolean {
    return this.#uids.has(uid);
  }

  /** Resolves once the file says so. Rejects with a Fault of code `store`; nothing has changed then. */
  async add(uid: UserId): Promise<void> {
    const write = this.#lastWrite.then(async () => {
      if (this.#uids.has(uid)) return;
      await this.#write([...this.#uids, uid]);
      this.#uids.add(uid);
    });
    this.#lastWrite = write.catch(() => undefined);
    await write;
  }

  async #write(uids: readonly UserId[]): Promise<void> {
    try {
      await writeFileAtomic(this.#path, `${JSON.stringify({ version: 1, uids })}\n`);
    } catch (error) {
      throw new Fault('store', `${this.#path} can’t be written; nothing was changed.`, error);
    }
  }
}
