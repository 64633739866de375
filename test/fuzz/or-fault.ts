// The promise of everything that reads what others wrote.
import { Fault } from '../../shared/fault.js';

const SENTENCE_MAX = 100_000;

/** Runs it; a Fault of that code, with a sentence of bearable length, is as good as a result. */
export function orFault(code: string, action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code !== code) throw new Error(`a fault of code ${error.code}`, { cause: error });
    if (error.userMessage.length > SENTENCE_MAX) throw new Error('a sentence without end', { cause: error });
  }
}
