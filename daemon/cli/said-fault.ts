// How a command that failed ends: a sentence on standard error and an exit code.
import { exitCodeOf, Fault } from '../../shared/fault.js';
import { visible } from '../sys/visible.js';

/** Says what went wrong, with the stack where it is a bug of ours, and returns the exit code. */
export function sayFault(error: unknown): number {
  const fault = Fault.from(error);
  process.stderr.write(`ftpseal: ${visible(fault.userMessage)}\n`);
  if (fault.code === 'internal') process.stderr.write(`${visible(stackOf(fault))}\n`);
  return exitCodeOf(fault);
}

function stackOf(fault: Fault): string {
  const cause: unknown = fault.cause ?? fault;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
