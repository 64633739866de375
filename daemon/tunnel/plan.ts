// What one tunnel joins: which side is encrypted, which is clear, and where each of them is. Pure.
import { parseIpAddress, parsePort, type Port } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { parseHostname, splitHostPort } from '../host-match.js';

export type Role = 'client' | 'server';

/** A place to connect to or to listen on. */
export interface Place {
  /** A name or an address; undefined where nothing was said. */
  readonly host: string | undefined;
  readonly port: Port;
}

/** One side of the tunnel. */
export type Side =
  /** Standard input and standard output, whatever they are. */
  | { readonly kind: 'stdio' }
  /** A socket that the parent handed over, used both ways. */
  | { readonly kind: 'descriptor'; readonly fd: 0 | 1 }
  /** The connection that inetd or systemd accepted, or accepts here. */
  | { readonly kind: 'inetd' }
  | { readonly kind: 'connect'; readonly place: Place }
  /** One connection is accepted. */
  | { readonly kind: 'listen'; readonly place: Place }
  /** A program with a socket as its standard input and output. */
  | { readonly kind: 'program'; readonly argv: readonly string[] };

export interface TunnelPlan {
  readonly role: Role;
  readonly clear: Side;
  readonly secure: Side;
}

/** The part of the command line that decides on the plan. */
export interface PlanWords {
  readonly client: boolean;
  readonly server: boolean;
  readonly inetd: boolean;
  readonly port: string | undefined;
  readonly program: readonly string[];
}

/** The plan. Throws a Fault of code `usage` for words that contradict each other. */
export function planTunnel(words: PlanWords): TunnelPlan {
  if (words.client && (words.server || words.inetd)) {
    throw new Fault('usage', 'It is either client (-c) or server (-s, -i), not both.');
  }
  const place = words.port === undefined ? undefined : parsePlace(words.port);
  if (words.inetd)
    return { role: 'server', secure: { kind: 'inetd' }, clear: behindInetd(place, words.program) };
  return words.server ? planServer(place, words.program) : planClient(place, words.program);
}

function behindInetd(place: Place | undefined, program: readonly string[]): Side {
  if (place !== undefined && program.length > 0) {
    throw new Fault(
      'usage',
      'Behind inetd (-i) either -p says where the clear side is, or a program, not both.',
    );
  }
  if (place !== undefined) return { kind: 'connect', place };
  if (program.length > 0) return { kind: 'program', argv: program };
  throw new Fault('usage', '-i needs -p [host:]port to forward to, or a program after --.');
}

function planServer(place: Place | undefined, program: readonly string[]): TunnelPlan {
  const hasProgram = program.length > 0;
  const inner: Side = { kind: 'program', argv: program };
  if (place !== undefined) {
    return {
      role: 'server',
      secure: { kind: 'listen', place },
      clear: hasProgram ? inner : { kind: 'stdio' },
    };
  }
  const clear: Side = hasProgram ? inner : { kind: 'descriptor', fd: 1 };
  return { role: 'server', secure: { kind: 'descriptor', fd: 0 }, clear };
}

function planClient(place: Place | undefined, program: readonly string[]): TunnelPlan {
  const hasProgram = program.length > 0;
  const inner: Side = { kind: 'program', argv: program };
  if (place !== undefined) {
    return {
      role: 'client',
      secure: { kind: 'connect', place },
      clear: hasProgram ? inner : { kind: 'stdio' },
    };
  }
  // The program carries the encrypted bytes, as netcat did for sst.
  if (hasProgram) return { role: 'client', secure: inner, clear: { kind: 'stdio' } };
  return { role: 'client', secure: { kind: 'descriptor', fd: 1 }, clear: { kind: 'descriptor', fd: 0 } };
}

/** `port`, `host:port`, `[v6]:port`. Throws a Fault of code `usage`. */
export function parsePlace(text: string): Place {
  const bare = parsePort(text);
  if (bare !== undefined) return { host: undefined, port: bare };
  const split = splitHostPort(text);
  const host = split && (parseIpAddress(split.host) ?? parseHostname(split.host));
  if (split?.port !== undefined && host !== undefined) return { host, port: split.port };
  throw new Fault('usage', `"${text}" is no place; give a port, host:port or [address]:port.`);
}

/** The host to connect to where none was given: this machine, as with sst. */
export const DEFAULT_HOST = '127.0.0.1';

export function placeText({ host, port }: Place): string {
  return `${host ?? 'any address'} port ${port}`;
}
