// What a section's page says besides the numbers, and whom it compares with whom. Pure.
import type { Goal } from '../results.js';
import type { Picture } from './picture.js';
import type { Report } from './report.js';
import type { Table } from './tables.js';

/** A line of the table of goals. */
export interface GoalLine {
  readonly goal: string;
  readonly wanted: string;
  readonly figure: string;
  readonly outcome: string;
  readonly met: boolean;
  /** What keeps a goal that is missed, if the run itself shows it. */
  readonly because?: string | undefined;
}

export interface Sheet {
  readonly name: string;
  /** The page's heading, and the line about the section in `--help`. */
  readonly title: string;
  readonly about: string;
  /** One line of what each contender is. */
  readonly contenders: Readonly<Record<string, string>>;
  /** Whose values are divided by those of the references, the first of which is the measure of the plot and of the goals. */
  readonly subject: string;
  readonly references: readonly string[];
  readonly goals: readonly Goal[];
  /** Goals about something else than samples, as they turned out. */
  readonly furtherGoals?: (report: Report) => readonly GoalLine[];
  /** The programs whose versions belong on the page, by their names in `Machine.versions`. */
  readonly programs: readonly string[];
  /** What was done to how much, in sentences. */
  conditions(report: Report): readonly string[];
  /** Whose processes the CPU seconds are, for the table's title. */
  readonly cpuOf: string;
  /** Further tables, behind the usual ones. */
  tables(report: Report): readonly Table[];
  readonly pictures: (report: Report, sheet: Sheet) => readonly Picture[];
  /** Items of a Markdown list: what a reader must know to read the numbers rightly. */
  readonly notes: string;
}
