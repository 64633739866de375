// One message of systemd-resolved's monitor (varlink interface io.systemd.Resolve.Monitor): who was asked for, and what came back.
// The words are the interface's; whatever does not look like them is worth nothing.
import { z } from 'zod';
import { parseHostname } from '../host-match.js';
import type { HeardAnswer } from './address-book.js';
import { followAliases } from './alias-chain.js';
import { readDnsRecord, type DnsRecord } from './dns-record.js';

/** A record of the kinds that count here is below 600 bytes. */
const RAW_MAX = 1024;

const answerSchema = z.object({ raw: z.string().max(RAW_MAX).optional() });
const messageSchema = z.object({
  error: z.string().max(256).optional(),
  parameters: z
    .object({
      ready: z.boolean().optional(),
      state: z.string().max(64).optional(),
      question: z
        .array(z.object({ name: z.string().max(512) }))
        .max(16)
        .nullish(),
      answer: z.array(z.unknown()).max(1024).nullish(),
    })
    .optional(),
});

export type MonitorMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'heard'; readonly answers: readonly HeardAnswer[] }
  /** The monitor refuses to go on. */
  | { readonly kind: 'error'; readonly error: string };

/** What one message says; undefined if it is none of the monitor's. Never throws. */
export function readMonitorMessage(text: string): MonitorMessage | undefined {
  const parsed = messageSchema.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { error, parameters } = parsed.data;
  if (error !== undefined) return { kind: 'error', error };
  if (parameters?.ready === true) return { kind: 'ready' };
  if (parameters?.state !== 'success') return { kind: 'heard', answers: [] };
  const records = (parameters.answer ?? []).flatMap(readRecord);
  const asked = (parameters.question ?? []).flatMap(({ name }) => parseHostname(name) ?? []);
  const names = new Set(asked.flatMap((name) => ownersFor(name, records)));
  const answers = [...(names.size > 0 ? names : heads(records))];
  return { kind: 'heard', answers: answers.flatMap((name) => followAliases(name, records)) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readRecord(answer: unknown): DnsRecord[] {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success || parsed.data.raw === undefined) return [];
  const record = readDnsRecord(Buffer.from(parsed.data.raw, 'base64'));
  return record === undefined ? [] : [record];
}

/** The name that was asked for, or what a search domain made of it. */
function ownersFor(asked: string, records: readonly DnsRecord[]): readonly string[] {
  const owners = records.map(({ owner }) => owner);
  return owners.includes(asked) ? [asked] : owners.filter((owner) => owner.startsWith(`${asked}.`));
}

/** Where the question is in another spelling than the answer (letters beyond ASCII): what no alias leads to was asked for. */
function heads(records: readonly DnsRecord[]): ReadonlySet<string> {
  const targets = records.flatMap((record) => (record.kind === 'alias' ? [record.target] : []));
  return new Set(records.map(({ owner }) => owner).filter((owner) => !targets.includes(owner)));
}
