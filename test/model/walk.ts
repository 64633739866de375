// Walks through all states that can be reached in a number of moves, breadth first, each state once.
import { createHash } from 'node:crypto';
import type { Event } from '../../daemon/ftp/events.js';
import type { Feed } from '../transcripts/scenario.js';
import { stateOf, step, worldAt, type Move, type Root, type Rules, type World } from './world.js';

export interface WalkOptions {
  readonly rules: Rules;
  readonly roots: readonly Root[];
  /** Moves from a root. */
  readonly depth: number;
  /** The walk ends, unfinished, when it knows so many states. */
  readonly statesMax: number;
  /** A wall-clock end for deep runs, in milliseconds since the epoch. */
  readonly until: number;
  /** What has to hold in every state, beyond the promises; throws. It may spoil the world. */
  readonly check?: (world: World) => void;
}

export interface WalkReport {
  readonly states: number;
  readonly transitions: number;
  /** All states up to this depth were seen. */
  readonly depth: number;
  readonly phases: Readonly<Record<string, number>>;
}

interface Node {
  readonly root: Root;
  readonly parent: Node | undefined;
  readonly move: Move | undefined;
  readonly depth: number;
  readonly state: string;
}

/** Throws at the first broken promise, with the moves that lead to it. */
export function walk(options: WalkOptions): WalkReport {
  const { rules } = options;
  const seen = new Set<string>();
  const phases = new Map<string, number>();
  let transitions = 0;
  let frontier: Node[] = options.roots.map((root) => ({
    root,
    parent: undefined,
    move: undefined,
    depth: 0,
    state: '',
  }));
  let depth = 0;
  const meet = (node: Node, world: World): Node | undefined => {
    const state = fingerprint(`${rootKey(node.root)}${stateOf(world, rules)}`);
    if (seen.has(state)) return undefined;
    seen.add(state);
    phases.set(world.session.phase, (phases.get(world.session.phase) ?? 0) + 1);
    return { ...node, state };
  };
  frontier = frontier.flatMap((node) => meet(node, worldAt(node.root, rules)) ?? []);
  while (frontier.length > 0 && depth < options.depth) {
    const next: Node[] = [];
    for (const node of frontier) {
      const reached = expand(node, options);
      transitions += reached.transitions;
      for (const { child, world } of reached.children) {
        const met = meet(child, world);
        if (met === undefined) continue;
        if (options.check !== undefined) guarded(met, () => options.check?.(world));
        if (!world.monitor.over) next.push(met);
      }
      if (seen.size >= options.statesMax || Date.now() > options.until)
        return { states: seen.size, transitions, depth, phases: Object.fromEntries(phases) };
    }
    frontier = next;
    depth += 1;
  }
  return { states: seen.size, transitions, depth, phases: Object.fromEntries(phases) };
}

interface Expansion {
  readonly transitions: number;
  readonly children: readonly { readonly child: Node; readonly world: World }[];
}

/** Makes every move from a node. A move that changed nothing leaves the world fit for the next one. */
function expand(node: Node, { rules }: WalkOptions): Expansion {
  const children: { child: Node; world: World }[] = [];
  let world = replay(node, rules);
  const moves = rules.moves(world);
  const here = stateOf(world, rules);
  for (const move of moves) {
    const child: Node = { root: node.root, parent: node, move, depth: node.depth + 1, state: '' };
    const spoken = guarded(child, () => step(world, move.event));
    if (!spoken && stateOf(world, rules) === here) continue;
    children.push({ child, world });
    world = replay(node, rules);
  }
  return { transitions: moves.length, children };
}

function replay(node: Node, rules: Rules): World {
  const world = worldAt(node.root, rules);
  for (const { event } of movesTo(node)) step(world, event);
  return world;
}

function movesTo(node: Node): readonly Move[] {
  const moves: Move[] = [];
  for (let at: Node | undefined = node; at?.move !== undefined; at = at.parent) moves.push(at.move);
  return moves.reverse();
}

function guarded<T>(node: Node, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const moves = movesTo(node).map(({ label }) => `  ${label}`);
    throw new Error(`${said}\nfrom "${node.root.name}":\n${moves.join('\n')}`, { cause: error });
  }
}

/** Roots of one context share their states. */
function rootKey({ context }: Root): string {
  return JSON.stringify(context);
}

function fingerprint(text: string): string {
  return createHash('sha1').update(text, 'latin1').digest('base64');
}

/** The events of a prelude, for the beginning of a walk. */
export function eventsOf(blocks: readonly { readonly feed: Feed }[]): readonly Event[] {
  return blocks.flatMap(({ feed }): readonly Event[] => {
    if (feed.kind === 'start') return [];
    if (feed.kind === 'event') return [feed.event];
    return [{ kind: feed.side === 'C' ? 'clientBytes' : 'serverBytes', bytes: feed.bytes }];
  });
}
