// The command line of `npm run soak`.
import { Command, InvalidArgumentError } from 'commander';

export interface SoakOptions {
  /** How long clients work; the opening, two rests and the closing come on top. */
  readonly minutes: number;
  readonly seed: number;
  /** How many client programs run at once. */
  readonly clients: number;
  readonly json: boolean;
}

const help = `
Real clients work through ftpseal with real servers while workers, the proxy and the supervisor are killed, servers start
again, the network drops, and questions about keys stay unanswered. In the second half the proxy is left alive, so that its
memory can be compared. The seed repeats the choices, not the instants. Ctrl-C ends early, with the summary of what ran.

Exit code 0: everything held; 1: something broke, and the summary says what; 2: a wrong option.
Needs root, Linux and about 1 GB of memory. Everything happens in network namespaces of its own.`;

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || value > 10_000) throw new InvalidArgumentError('A number above 0.');
  return value;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32)
    throw new InvalidArgumentError('A whole number from 0 up.');
  return value;
}

function atLeastOne(text: string): number {
  const value = whole(text);
  if (value === 0 || value > 100) throw new InvalidArgumentError('From 1 to 100.');
  return value;
}

/** Reads the arguments after the program's name. Ends the process for --help and for a wrong option. */
export function parseOptions(argv: readonly string[]): SoakOptions {
  const command = new Command('npm run soak --')
    .description('A long run through ftpseal in which everything around it fails.')
    .option('--minutes <n>', 'how long', positive, 30)
    .option('--seed <n>', 'repeats the choices of a run (default: a new one, printed)', whole)
    .option('--clients <n>', 'client programs at once', atLeastOne, 6)
    .option('--json', 'the summary as JSON on standard output', false)
    .helpOption('-h, --help', 'shows this')
    .addHelpText('after', help)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  command.parse([...argv], { from: 'user' });
  const given = command.opts<{ minutes: number; seed?: number; clients: number; json: boolean }>();
  return { ...given, seed: given.seed ?? Date.now() % 1_000_000_000 };
}
