// The command line of `npm run bench`.
import { Command, InvalidArgumentError } from 'commander';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { repository } from '../lab/harness/server.js';
import type { OtherBuild, Section } from './section.js';
import { sections } from './sections.js';

/** What to run and where the results go. */
export interface BenchOptions {
  readonly sections: readonly Section[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly wantsContender: (name: string) => boolean;
  readonly wantsWork: (name: string) => boolean;
  readonly json: boolean;
  readonly out: string;
  /** Where the numbers of a run go that does not get to its end; never the documentation. */
  readonly unfinished: string;
  /** Nothing is measured: pages and pictures are made anew from the numbers that lie in `out`. */
  readonly redraw: boolean;
  readonly against: OtherBuild | undefined;
}

const sectionNames = sections.map((section) => section.sheet.name);
const contenderNames = [...new Set(sections.flatMap((section) => Object.keys(section.sheet.contenders)))];
const workNames = [...new Set(sections.flatMap((section) => section.work))];

const help = `
Sections:
${sections.map(({ sheet }) => `  ${sheet.name.padEnd(10)}${sheet.about}`).join('\n')}
Work: ${workNames.join(', ')}
Contenders: ${contenderNames.join(', ')}

Needs root, Linux and about 3 GB of memory, and nothing else running. Each section writes <section>.md, .json and its pictures
to docs/bench, and leaves those of the others alone; with --quick, --work or --contenders to .lab/bench, unless --out says otherwise.
--against goes there too: it tells what a change has brought, whatever else the machine does. With --against-node alone the page
is the documentation's, with this build under both versions of Node and the goals of each.

Progress goes to standard error, with an estimate of what is left. Ctrl-C ends the run and all of its programs; what had been measured
of the section that was running is kept as <section>-unfinished.json in .lab/bench (or where --out says), the other sections are whole.`;

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1) throw new InvalidArgumentError('A whole number from 1 up.');
  return rounds;
}

/** Names with commas or blanks between them; the option may be repeated. */
function parseNames(known: readonly string[]) {
  return (text: string, before: readonly string[] = []): readonly string[] => {
    const names = text.split(',').filter((name) => name !== '');
    const stranger = names.find((name) => !known.includes(name));
    if (stranger !== undefined) throw new InvalidArgumentError(`${stranger} is none of ${known.join(', ')}.`);
    return [...before, ...names];
  };
}

const pages = path.join(repository, 'docs/bench');
const scratch = path.join(repository, '.lab/bench');

interface Given {
  readonly only?: readonly string[];
  readonly rounds?: number;
  readonly quick: boolean;
  readonly work?: readonly string[];
  readonly contenders?: readonly string[];
  readonly json: boolean;
  readonly redraw: boolean;
  readonly out?: string;
  readonly against?: string;
  readonly againstNode?: string;
}

function otherBuild({ against, againstNode }: Given): OtherBuild | undefined {
  const version = againstNode === undefined ? process.version : versionOf(againstNode);
  if (against !== undefined)
    return {
      name: 'other',
      about: `another build of ftpseal, Node ${version}`,
      program: against,
      node: againstNode,
    };
  if (againstNode === undefined) return undefined;
  const name = `ftpseal-${/^v(\d+)/.exec(version)?.[1] ?? 'node'}`;
  return { name, about: `the same, under Node ${version}`, program: undefined, node: againstNode };
}

function versionOf(node: string): string {
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

/** Reads the arguments after the program's name. Ends the process for --help and for a wrong option. */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const command = new Command('npm run bench --')
    .description('Measures ftpseal beside other programs that do the same.')
    .option('--only <section...>', 'only these sections', parseNames(sectionNames))
    .option(
      '--rounds <n>',
      'rounds, the contenders taking turns in each (default: 5, with --quick 1)',
      parseRounds,
    )
    .option('--quick', 'a smoke run with tiny amounts of work; its numbers say nothing', false)
    .option('--work <work...>', 'only this work', parseNames(workNames))
    .option('--contenders <name...>', 'only these contenders', parseNames(contenderNames))
    .option('--against <folder>', 'another build of ftpseal as the contender `other` (section redirect)')
    .option(
      '--against-node <file>',
      'the Node that runs `other`; without --against this build takes part under it too',
    )
    .option('--json', 'print the numbers as JSON instead of tables', false)
    .option('--redraw', 'measure nothing: make pages and pictures anew from their JSON', false)
    .option('--out <folder>', 'where the results go')
    .helpOption('-h, --help', 'shows this')
    .addHelpText('after', help)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  command.parse([...argv], { from: 'user' });
  const given = command.opts<Given>();
  const { only, work, contenders } = given;
  const against = otherBuild(given);
  const complete =
    !given.quick && work === undefined && contenders === undefined && given.against === undefined;
  return {
    sections: sections.filter(({ sheet }) => only === undefined || only.includes(sheet.name)),
    rounds: given.rounds ?? (given.quick ? 1 : 5),
    quick: given.quick,
    wantsContender: (name) => contenders === undefined || contenders.includes(name),
    wantsWork: (name) => work === undefined || work.includes(name),
    json: given.json,
    against,
    redraw: given.redraw,
    out: path.resolve(given.out ?? (complete ? pages : scratch)),
    unfinished: path.resolve(given.out ?? scratch),
  };
}
