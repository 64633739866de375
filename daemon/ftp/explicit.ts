// The opening of the explicit proxy: the client names the server in its USER line (`USER name@host`). Everything before that is
// answered here; from the USER line on an ordinary session takes over.
import { parseIpAddress, parsePort, type Port } from '../../shared/endpoint.js';
import { CommandReader, type Command } from './command-reader.js';

/** What the opening yields for some bytes of the client. */
export type OpeningStep =
  | { readonly kind: 'reply'; readonly text: string }
  /** `rest`: the USER line for the server and whatever followed it. */
  | { readonly kind: 'target'; readonly host: string; readonly port: Port; readonly rest: Buffer }
  | { readonly kind: 'close'; readonly text: string };

export const EXPLICIT_GREETING =
  '220 ftpseal: log in with USER name@server (or name@server:port); the connection to the server will be encrypted.\r\n';

const DEFAULT_PORT = 21 as Port;
const HOW = 'log in with USER name@server first.';
const ANSWERS: Readonly<Record<string, string>> = {
  FEAT: '211-Features:\r\n UTF8\r\n211 End\r\n',
  SYST: '215 UNIX Type: L8\r\n',
  NOOP: '200 ready\r\n',
  HELP: `214 ${HOW}\r\n`,
  CLNT: '200 noted\r\n',
  OPTS: '200 noted\r\n',
  AUTH: `502 this side is not encrypted; ${HOW}\r\n`,
};

/** Reads commands until a server is named. Dead after `target` and `close`. */
export class ExplicitOpening {
  readonly #commands = new CommandReader();

  push(bytes: Uint8Array): readonly OpeningStep[] {
    this.#commands.push(bytes);
    const steps: OpeningStep[] = [];
    for (;;) {
      const read = this.#commands.read();
      if (read.kind === 'need-more') return steps;
      const step: OpeningStep =
        read.kind === 'too-long'
          ? { kind: 'close', text: '500 ftpseal: that command line is too long.\r\n' }
          : this.#answer(read.command);
      steps.push(step);
      if (step.kind !== 'reply') return steps;
    }
  }

  #answer(command: Command): OpeningStep {
    if (command.verb === 'QUIT') return { kind: 'close', text: '221 Goodbye.\r\n' };
    if (command.verb !== 'USER')
      return { kind: 'reply', text: ANSWERS[command.verb] ?? `530 ftpseal: ${HOW}\r\n` };
    const target = command.clean ? parseTarget(command.argument.trim()) : undefined;
    if (target === undefined) return { kind: 'reply', text: `530 ftpseal: no server was named; ${HOW}\r\n` };
    const user = Buffer.from(`USER ${target.user}\r\n`, 'latin1');
    return { kind: 'target', ...target.server, rest: Buffer.concat([user, this.#commands.takeRest()]) };
  }
}

/** `name@host`, `name@host:port`, `name@[v6]:port`; the last @ counts, because mail addresses are user names too. */
function parseTarget(
  text: string,
): { readonly user: string; readonly server: { readonly host: string; readonly port: Port } } | undefined {
  const match = /^(.*)@(?:\[([0-9A-Fa-f:.]+)\]|([^@:[\]\s]+))(?::([0-9]{1,5}))?$/.exec(text);
  const user = match?.[1] ?? '';
  const host = parseIpAddress(match?.[2]) ?? match?.[3];
  const port = match?.[4] === undefined ? DEFAULT_PORT : parsePort(match[4]);
  if (user === '' || host === undefined || port === undefined) return undefined;
  if (match?.[2] === undefined && !/^[A-Za-z0-9._-]{1,253}$/.test(host)) return undefined;
  return { user, server: { host, port } };
}
