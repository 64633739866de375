// The command line of `npm run bench`.
import { Command, InvalidArgumentError, Option } from 'commander';
import path from 'node:path';
import { repository } from '../lab/harness/server.js';
import { contenderNames, type ContenderName } from './contenders/contender.js';
import { metricNames, type MetricName } from './results.js';
import { fullSizes, quickSizes, type Sizes } from './sizes.js';

export type WorkName = MetricName | 'foreign';
const workNames: readonly WorkName[] = [...metricNames, 'foreign'];

/** What to run and where the results go. */
export interface BenchOptions {
  readonly rounds: number;
  readonly quick: boolean;
  readonly sizes: Sizes;
  readonly contenders: readonly ContenderName[];
  readonly work: readonly WorkName[];
  readonly out: string;
}

const help = `
Work: ${workNames.join(', ')}
Contenders: ${contenderNames.join(', ')}

Needs root, Linux and about 3 GB of memory; a full run takes about half an hour. A full run writes latest.md, latest.json
and latest.svg to docs/bench; any other run to .lab/bench, unless --out says otherwise.`;

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1) throw new InvalidArgumentError('A whole number from 1 up.');
  return rounds;
}

/** Reads the arguments after the program's name. Ends the process for --help and for a wrong option. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const command = new Command('npm run bench --')
    .description('Measures ftpseal beside ProFTPD mod_proxy, an FTPS client of its own and plain FTP.')
    .option(
      '--rounds <n>',
      'rounds, the contenders taking turns in each (default: 5, with --quick 1)',
      parseRounds,
    )
    .option('--quick', 'a smoke run with tiny amounts of work; its numbers say nothing', false)
    .addOption(new Option('--only <work...>', 'only this work').choices(workNames))
    .addOption(new Option('--contenders <name...>', 'only these contenders').choices(contenderNames))
    .option('--out <folder>', 'where the results go')
    .helpOption('-h, --help', 'shows this')
    .addHelpText('after', help)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  command.parse([...argv], { from: 'user' });
  const given = command.opts<{
    rounds?: number;
    quick: boolean;
    only?: readonly WorkName[];
    contenders?: readonly ContenderName[];
    out?: string;
  }>();
  const complete = !given.quick && given.only === undefined && given.contenders === undefined;
  return {
    rounds: given.rounds ?? (given.quick ? 1 : 5),
    quick: given.quick,
    sizes: given.quick ? quickSizes : fullSizes,
    contenders: given.contenders ?? contenderNames,
    work: given.only ?? workNames,
    out: path.resolve(given.out ?? path.join(repository, complete ? 'docs/bench' : '.lab/bench')),
  };
}
