// PBSZ: how many data bytes a block may hold. The client proposes, the server may lower.
import { PBSZ_MAX, PBSZ_MIN } from './limits.js';

/** A server's answer to PBSZ. */
export type BufferSizeAnswer =
  | { readonly kind: 'agreed'; readonly size: number; readonly reply: string }
  | { readonly kind: 'refused'; readonly reply: string };

const U32_MAX = 0xffff_ffff;

/** Answers a client's proposal. */
export function answerBufferSize(argument: string): BufferSizeAnswer {
  const proposed = /^[0-9]{1,10}$/.test(argument) ? Number(argument) : Infinity;
  if (proposed > U32_MAX) return { kind: 'refused', reply: '501 PBSZ needs a decimal number of 32 bits.' };
  if (proposed < PBSZ_MIN)
    return { kind: 'refused', reply: `538 Protection buffer too small. PBSZmin=${PBSZ_MIN}` };
  const size = Math.min(proposed, PBSZ_MAX);
  return { kind: 'agreed', size, reply: `200 PBSZ=${size}` };
}

/** The size in a server's reply to `PBSZ proposed`, or undefined for one that ends the session. */
export function parseBufferSizeReply(reply: string, proposed: number): number | undefined {
  if (!/^200(?: |$)/.test(reply)) return undefined;
  const named = /\bPBSZ=([^ ]*)/i.exec(reply)?.[1];
  if (named === undefined) return proposed;
  const size = /^[0-9]{1,10}$/.test(named) ? Number(named) : 0;
  return size >= PBSZ_MIN && size <= proposed ? size : undefined;
}

/** The smallest size that a server named in its refusal, if it is one that we may propose. */
export function parseSmallestBufferSize(reply: string): number | undefined {
  const named = /^538 .*\bPBSZmin=([0-9]{1,10})$/i.exec(reply)?.[1];
  const size = Number(named ?? 0);
  return size >= PBSZ_MIN && size <= PBSZ_MAX ? size : undefined;
}
