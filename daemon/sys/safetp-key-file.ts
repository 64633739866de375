// The server's X-SafeTP1 key on disk: PKCS#8 PEM that nobody but its owner can read. Made when it is first needed.
import { readFile, stat } from 'node:fs/promises';
import { Fault } from '../../shared/fault.js';
import { brandKey } from '../security/safetp/branded-key.js';
import { isBrand } from '../security/safetp/brand.js';
import { attempt } from '../security/safetp/malformed.js';
import { dsaSignerOf, generateDsaPem } from '../security/safetp/native/dsa.js';
import type { ServerKey } from '../security/safetp/server.js';
import { writeFileAtomic } from './atomic-file.js';

const OTHERS = 0o077;

export interface ServerKeyFile {
  readonly path: string;
  /** What the server calls itself. */
  readonly brand: string;
  /** Told before a key is made, which can take a few seconds. */
  readonly onMaking: () => void;
}

/**
 * The key in the file; a missing file is made. Rejects with a Fault of code `config` for a brand that is none, and of code `key`
 * for a file that cannot be read, that others can read, or that holds no sound DSA key of 1024 bits.
 */
export async function loadServerKey(file: ServerKeyFile): Promise<ServerKey> {
  if (!isBrand(file.brand))
    throw new Fault(
      'config',
      'The name for X-SafeTP1 needs 1 to 256 bytes of readable text, without control characters and characters that hide or reorder others.',
    );
  const signer = dsaSignerOf((await readKey(file.path)) ?? (await makeKey(file)));
  const branded = attempt(() => brandKey(signer, file.brand));
  if (branded.kind === 'ok') return { signer, branded: branded.value };
  throw new Fault(
    'key',
    `The key in ${file.path} is no DSA key of 1024 bits. Move the file away; a new one will be made.`,
    branded.fault,
  );
}

async function readKey(path: string): Promise<string | undefined> {
  try {
    const pem = await readFile(path, 'utf8');
    const { mode } = await stat(path);
    if ((mode & OTHERS) === 0) return pem;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Fault('key', `The key file ${path} can’t be read.`, error);
  }
  throw new Fault(
    'key',
    `Others can read the key in ${path}, so it proves nothing any more. Make a new one: move the file away and start again.`,
  );
}

async function makeKey({ path, onMaking }: ServerKeyFile): Promise<string> {
  onMaking();
  const pem = generateDsaPem();
  try {
    await writeFileAtomic(path, pem, 0o600);
  } catch (error) {
    throw new Fault('key', `The key file ${path} can’t be written.`, error);
  }
  return pem;
}
