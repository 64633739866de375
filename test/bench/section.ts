// What a section of the benchmark is: a field of its own, its contenders and its work, its page.
import type { Progress } from './progress.js';
import type { Findings } from './report/report.js';
import type { Sheet } from './report/sheet.js';

/** A build of ftpseal other than this checkout's: folder of a checkout or of a staged program, or this one's under another Node. */
export interface OtherBuild {
  /** As a contender, and what it is. */
  readonly name: string;
  readonly about: string;
  readonly program: string | undefined;
  readonly node: string | undefined;
}

/** How a section is to be run. */
export interface SectionOptions {
  readonly rounds: number;
  readonly quick: boolean;
  /** Whether that contender, and that work, was asked for. */
  readonly wantsContender: (name: string) => boolean;
  readonly wantsWork: (name: string) => boolean;
  readonly progress: Progress;
  /** Another build of ftpseal to measure beside this one. */
  readonly against?: OtherBuild | undefined;
}

export interface Section {
  readonly sheet: Sheet;
  /** The names of its work, for `--work`. */
  readonly work: readonly string[];
  /** Opens the field, measures, and closes it, also when it fails. */
  measure(options: SectionOptions): Promise<Findings>;
}
