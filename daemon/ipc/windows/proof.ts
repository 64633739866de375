// The first words on a connection between daemon and caller on Windows: each proves to the other that it knows the secret in the
// caller's own file, and neither shows it. Pure but for the randomness; what is read and written when is loopback-transport.ts.
//
//   caller  `ftpseal 1 <nonce>`       daemon  `<nonce> <proof>`       caller  `<proof>`       then JSON-RPC
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const nonceDigits = 64;
const proofDigits = 64;
const greeting = 'ftpseal 1 ';

/** Bytes of each of the three lines; they have one length each, so that nothing behind them is read. */
export const lineBytes = {
  hello: greeting.length + nonceDigits + 1,
  answer: nonceDigits + 1 + proofDigits + 1,
  proof: proofDigits + 1,
} as const;

export interface Nonces {
  readonly caller: string;
  readonly daemon: string;
}

/** Fresh for every connection. */
export function makeNonce(): string {
  return randomBytes(nonceDigits / 2).toString('hex');
}

/** The secret of one user's file, in the form in which it lies there. */
export function makeSecret(): string {
  return randomBytes(32).toString('hex');
}

/** The secret in a file; `undefined` if there is none. */
export function parseSecret(text: string): string | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
}

export function formatHello(nonce: string): string {
  return `${greeting}${nonce}\n`;
}

export function parseHello(line: string): string | undefined {
  return /^ftpseal 1 ([0-9a-f]{64})\n$/.exec(line)?.[1];
}

export function formatAnswer(secret: string, nonces: Nonces): string {
  return `${nonces.daemon} ${proofOf('daemon', secret, nonces)}\n`;
}

/** The daemon's nonce if it knows the secret; `undefined` for an impostor. */
export function checkAnswer(line: string, secret: string, callerNonce: string): string | undefined {
  const match = /^([0-9a-f]{64}) ([0-9a-f]{64})\n$/.exec(line);
  const [, daemon, proof] = match ?? [];
  if (daemon === undefined || proof === undefined) return undefined;
  return isSame(proof, proofOf('daemon', secret, { caller: callerNonce, daemon })) ? daemon : undefined;
}

export function formatProof(secret: string, nonces: Nonces): string {
  return `${proofOf('caller', secret, nonces)}\n`;
}

export function checkProof(line: string, secret: string, nonces: Nonces): boolean {
  return isSame(line, formatProof(secret, nonces));
}

/** The role is part of it: what one end says can't be said back to it. */
function proofOf(role: 'caller' | 'daemon', secret: string, { caller, daemon }: Nonces): string {
  return createHmac('sha256', Buffer.from(secret, 'hex')).update(`${role} ${caller} ${daemon}`).digest('hex');
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
