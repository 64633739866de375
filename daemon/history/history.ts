// What happened, as a person looks for it later: a bounded list for each user, kept in a file of bounded size that only the
// daemon reads. One user's events never push out another's.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { historyEventSchema, type HistoryEvent } from '../../shared/ipc-messages.js';
import { RotatingFile } from '../sys/rotating-file.js';
import type { Owner } from '../trust/pin-record.js';

/** More than a person scrolls through. */
export const MAX_EVENTS_PER_OWNER = 1000;
/** Users of one machine; of more, the one with the oldest last event is forgotten. */
export const MAX_OWNERS = 64;
/** Two files of that size for each user hold the thousand events in their usual length. */
const rotation = { maxBytes: 256 * 1024, keep: 1 };
/** The same again within this time is the same event: a program in a loop must not push out everything else. */
const sameWithinMs = 60_000;

interface Shelf {
  /** Oldest first. */
  readonly events: HistoryEvent[];
  readonly file: RotatingFile | undefined;
  readonly path: string | undefined;
}

/** See the head of the file. Nothing here throws once it is open: history is not worth a session. */
export class History {
  readonly #folder: string | undefined;
  readonly #shelves = new Map<string, Shelf>();

  private constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** Opens the folder `history` in the state folder; without one nothing outlives the process. Lines that are damaged are skipped. */
  static open(stateDir: string | undefined): History {
    const history = new History(stateDir === undefined ? undefined : join(stateDir, 'history'));
    for (const name of history.#names()) history.#load(name);
    return history;
  }

  add(event: HistoryEvent): void {
    const parsed = historyEventSchema.safeParse(event);
    if (!parsed.success) return;
    const shelf = this.#shelfOf(event.owner);
    if (shelf.events.some((old) => Math.abs(event.at - old.at) < sameWithinMs && isSame(old, event))) return;
    push(shelf.events, parsed.data);
    shelf.file?.write(`${JSON.stringify(parsed.data)}\n`);
  }

  /** The newest events of the owners that `isVisible` lets through, newest first. */
  list(isVisible: (owner: Owner) => boolean, limit: number): readonly HistoryEvent[] {
    return [...this.#shelves.values()]
      .flatMap((shelf) => shelf.events)
      .filter((event) => isVisible(event.owner))
      .sort((a, b) => b.at - a.at)
      .slice(0, limit);
  }

  close(): void {
    for (const { file } of this.#shelves.values()) file?.close();
    this.#shelves.clear();
  }

  #shelfOf(owner: Owner): Shelf {
    const name = nameOf(owner);
    const found = this.#shelves.get(name);
    if (found !== undefined) return found;
    if (this.#shelves.size >= MAX_OWNERS) this.#dropQuietest();
    return this.#put(name, []);
  }

  #put(name: string, events: HistoryEvent[]): Shelf {
    const path = this.#folder === undefined ? undefined : join(this.#folder, `${name}.jsonl`);
    const shelf = { events, path, file: path === undefined ? undefined : new RotatingFile(path, rotation) };
    this.#shelves.set(name, shelf);
    return shelf;
  }

  #dropQuietest(): void {
    const lastAt = ({ events }: Shelf) => events.at(-1)?.at ?? 0;
    const [quietest] = [...this.#shelves].sort(([, a], [, b]) => lastAt(a) - lastAt(b));
    if (quietest === undefined) return;
    const [name, { file, path }] = quietest;
    file?.close();
    this.#shelves.delete(name);
    if (path !== undefined) for (const old of [path, `${path}.1`]) rmSync(old, { force: true });
  }

  #names(): readonly string[] {
    if (this.#folder === undefined) return [];
    try {
      const names = readdirSync(this.#folder).flatMap(
        (file) => /^(machine|[0-9]{1,10}|S-1-[0-9-]{1,180})\.jsonl$/.exec(file)?.[1] ?? [],
      );
      return names.slice(0, MAX_OWNERS);
    } catch {
      return [];
    }
  }

  #load(name: string): void {
    const path = join(this.#folder ?? '', `${name}.jsonl`);
    const events: HistoryEvent[] = [];
    for (const line of [...linesOf(`${path}.1`), ...linesOf(path)]) {
      const event = parseLine(line);
      if (event !== undefined && nameOf(event.owner) === name) push(events, event);
    }
    this.#put(name, events);
  }
}

function push(events: HistoryEvent[], event: HistoryEvent): void {
  events.push(event);
  if (events.length > MAX_EVENTS_PER_OWNER) events.shift();
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function parseLine(line: string): HistoryEvent | undefined {
  try {
    return historyEventSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function nameOf(owner: Owner): string {
  return owner.kind === 'user' ? String(owner.uid) : 'machine';
}

function isSame(a: HistoryEvent, b: HistoryEvent): boolean {
  const keyOf = ({ kind, server, program, text, fingerprint }: HistoryEvent) =>
    JSON.stringify([kind, server, program, text, fingerprint]);
  return keyOf(a) === keyOf(b);
}
