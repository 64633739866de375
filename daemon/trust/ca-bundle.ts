// The file of trust.ca_bundle: certificates of authorities that an organisation adds to those of the machine. Whoever can change it
// can pass for any server, so it is checked like the configuration itself, and said at the start what is wrong with it.
import { X509Certificate } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { Fault } from '../../shared/fault.js';

/** A machine's own bundle has 150 authorities in a quarter of that. */
const MAX_BYTES = 1024 * 1024;

/**
 * The certificates of the file as PEM text, and nothing else that stands in it. Rejects with a Fault of code `config`: one sentence,
 * which begins with the path.
 */
export async function readCaBundle(path: string): Promise<string> {
  const text = await readBounded(path);
  const fail = (what: string, cause?: unknown) => new Fault('config', `${path} ${what}`, cause);
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw fail(
      'holds a private key, which nobody but its authority should have; leave the certificate alone in it',
    );
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  if (begun === 0) throw fail('holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----")');
  if (begun !== blocks.length) throw fail('is cut off: not every certificate in it has an end');
  for (const [index, block] of blocks.entries()) checkAuthority(block, `certificate ${index + 1}`, fail);
  return `${blocks.join('\n')}\n`;
}

function checkAuthority(block: string, what: string, fail: (what: string, cause?: unknown) => Fault): void {
  const certificate = readCertificate(block, (cause) => fail(`can't be read: ${what} is damaged`, cause));
  if (!certificate.ca) {
    const subject = certificate.subject.replace(/\s+/g, ' ').slice(0, 100);
    throw fail(
      `holds ${what} (${subject}), which is a server's and not an authority's; pin it with \`ftpseal keys add\``,
    );
  }
}

function readCertificate(block: string, damaged: (cause: unknown) => Fault): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch (error) {
    throw damaged(error);
  }
}

async function readBounded(path: string): Promise<string> {
  // Not to wait for whoever would write into a pipe of that name.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new Fault('config', `${path} ${whyNotOpened(error)}`, error);
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Fault('config', `${path} is not a file`);
    if (stats.size > MAX_BYTES) throw new Fault('config', `${path} is larger than ${MAX_BYTES} bytes`);
    checkOwner(path, stats);
    return (await file.readFile()).toString('latin1');
  } finally {
    await file.close();
  }
}

/** On Windows the rights of its folder decide, and they are not seen in a mode. */
function checkOwner(path: string, { uid, mode }: Stats): void {
  if (process.getuid === undefined) return;
  if (uid !== 0 && uid !== process.getuid())
    throw new Fault(
      'config',
      `${path} belongs to another user (uid ${uid}), who could add authorities; give it to root`,
    );
  if ((mode & 0o022) !== 0)
    throw new Fault(
      'config',
      `${path} can be changed by other users, who could add authorities; chmod go-w it`,
    );
}

function whyNotOpened(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES') return "can't be read: permission denied (the proxy reads it as its own user)";
  return "can't be read";
}
