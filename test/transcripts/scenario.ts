// Reads transcript files into cases: a context, and blocks of one event with what has to follow from it.
import type { HostPolicy } from '../../shared/policy.js';
import { nameSources } from '../../shared/trust.js';
import type { SessionContext } from '../../daemon/ftp/session.js';
import type { Event } from '../../daemon/ftp/events.js';
import { endpoint, formatBytes, parseBytes, parseEvent, type Side } from './notation.js';

export type Feed =
  | { readonly kind: 'start' }
  | { readonly kind: 'bytes'; readonly side: Side; readonly bytes: Buffer }
  | { readonly kind: 'event'; readonly event: Event };

/** One step: the lines that caused it, and the lines (effects and `=` statements) that must follow. */
export interface Block {
  readonly source: readonly string[];
  readonly feed: Feed;
  readonly expected: readonly string[];
}

export interface Case {
  readonly title: string;
  readonly file: string;
  readonly context: SessionContext;
  readonly blocks: readonly Block[];
  /** Why the bytes of this case may not be cut anew: the cut itself is what it tests. */
  readonly uncut: string | undefined;
}

interface RawCase {
  readonly title: string;
  readonly settings: string[];
  readonly lines: string[];
}

interface Draft {
  source: string[];
  feed: Feed;
  expected: string[];
}

/** The preludes that `use NAME` splices in, by name. */
export type Preludes = ReadonlyMap<string, readonly string[]>;

export function readPreludes(text: string): Preludes {
  return new Map(split('prelude', text).map((raw) => [raw.title, [...raw.settings, ...raw.lines]]));
}

/** All cases of one file. Throws for a line that means nothing. */
export function readCases(file: string, text: string, preludes: Preludes): readonly Case[] {
  return split(file, text).map((raw) => {
    try {
      return readCase(file, raw, preludes);
    } catch (error) {
      throw new Error(`${file}: ${raw.title}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

function split(file: string, text: string): readonly RawCase[] {
  const cases: RawCase[] = [];
  for (const line of text.split('\n').map((each) => each.trimEnd())) {
    if (line === '' || line.startsWith('#!') || line.startsWith('# ')) continue;
    const current = cases.at(-1);
    if (line.startsWith('## ')) cases.push({ title: line.slice(3), settings: [], lines: [] });
    else if (current === undefined) throw new Error(`${file}: a line before the first case: ${line}`);
    else if (line.startsWith('@')) current.settings.push(line);
    else current.lines.push(line);
  }
  return cases;
}

function readCase(file: string, raw: RawCase, preludes: Preludes): Case {
  const expanded = raw.lines.flatMap((line) => expand(line, preludes));
  const settings = [...expanded.filter((line) => line.startsWith('@')), ...raw.settings];
  const lines = expanded.filter((line) => !line.startsWith('@'));
  const uncut = settings.find((line) => line.startsWith('@uncut '))?.slice(7);
  const context = settings.reduce(applySetting, DEFAULT_CONTEXT);
  return { title: raw.title, file, context, blocks: readBlocks(lines), uncut };
}

function expand(line: string, preludes: Preludes): readonly string[] {
  if (!line.startsWith('use ')) return [line];
  const prelude = preludes.get(line.slice(4));
  if (prelude === undefined) throw new Error(`no such prelude: ${line}`);
  return prelude.flatMap((each) => expand(each, preludes));
}

function readBlocks(lines: readonly string[]): readonly Block[] {
  const blocks: Draft[] = [{ source: [], feed: { kind: 'start' }, expected: [] }];
  for (const line of lines) {
    const current = blocks.at(-1)!;
    if (line.startsWith('> ')) current.expected.push(...canonical(line));
    else if (line.startsWith('= ')) current.expected.push(line);
    else addEvent(blocks, current, line);
  }
  return blocks;
}

/** Expected bytes in the form in which actual ones are printed. */
function canonical(line: string): readonly string[] {
  const bytes = parseBytes(line.slice(2));
  return bytes === undefined ? [line] : formatBytes(bytes.side, bytes.bytes).map((each) => `> ${each}`);
}

/** Lines of bytes of one side that follow each other without an effect between them arrive together. */
function addEvent(blocks: Draft[], current: Draft, line: string): void {
  const read = parseBytes(line);
  if (read === undefined) {
    blocks.push({ source: [line], feed: { kind: 'event', event: parseEvent(line) }, expected: [] });
    return;
  }
  const { feed } = current;
  if (feed.kind === 'bytes' && feed.side === read.side && current.expected.length === 0) {
    current.feed = { ...feed, bytes: Buffer.concat([feed.bytes, read.bytes]) };
    current.source.push(line);
    return;
  }
  blocks.push({ source: [line], feed: { kind: 'bytes', ...read }, expected: [] });
}

const DEFAULT_POLICY: HostPolicy = {
  mode: 'explicit',
  trust: { unknown: 'ask', caValid: 'accept', replicate: 'accept', promptTimeoutMs: 45_000 },
  fallback: { cleartext: 'warn' },
  data: { protection: 'private', allowForeignAddress: false },
  tls: { minVersion: 'TLSv1.2', mechanisms: ['TLS'] },
  name: undefined,
};

export const DEFAULT_CONTEXT: SessionContext = {
  policy: DEFAULT_POLICY,
  server: endpoint('192.0.2.1:21'),
  client: endpoint('192.0.2.100:40000'),
  knownSecure: false,
  greeting: 'forward',
  dataPath: 'direct',
  noEpsv: false,
  passiveProven: true,
};

function applySetting(context: SessionContext, line: string): SessionContext {
  const [key = '', value = ''] = line.slice(1).split(/ (.*)/);
  const { policy } = context;
  switch (key) {
    case 'uncut':
      return context;
    case 'nameFrom':
      return { ...context, nameFrom: choose(value, nameSources) };
    case 'server':
      return { ...context, server: endpoint(value) };
    case 'client':
      return { ...context, client: endpoint(value) };
    case 'knownSecure':
      return { ...context, knownSecure: true };
    case 'noEpsv':
      return { ...context, noEpsv: true };
    case 'passiveUnproven':
      return { ...context, passiveProven: false };
    case 'explicitProxy':
      return { ...context, greeting: 'swallow', dataPath: 'proxied' };
    case 'proxied':
      return { ...context, dataPath: 'proxied' };
    case 'mode':
      return {
        ...context,
        policy: { ...policy, mode: choose(value, ['explicit', 'implicit', 'plain', 'tunnel']) },
      };
    case 'protection': {
      const protection = choose(value, ['private', 'clear', 'auto']);
      return { ...context, policy: { ...policy, data: { ...policy.data, protection } } };
    }
    case 'allowForeignAddress':
      return { ...context, policy: { ...policy, data: { ...policy.data, allowForeignAddress: true } } };
    case 'mechanisms':
      return {
        ...context,
        policy: { ...policy, tls: { ...policy.tls, mechanisms: value.split(' ').filter(Boolean) } },
      };
    case 'name':
      return { ...context, policy: { ...policy, name: value } };
    default:
      throw new Error(`unknown setting: ${line}`);
  }
}

function choose<T extends string>(text: string, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === text);
  if (found === undefined) throw new Error(`"${text}" is none of ${allowed.join(', ')}`);
  return found;
}
