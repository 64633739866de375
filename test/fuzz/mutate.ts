// Inputs made of other inputs, from a seed: bytes flipped, dropped, doubled, added, and pieces of two inputs joined.

/** Numbers below a bound, from a seed (a linear congruential generator: repeatable, and good enough to break things with). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(bound: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 0x1_0000_0000) * bound);
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)];
    if (chosen === undefined) throw new RangeError('nothing to choose from');
    return chosen;
  }
}

const LENGTH_MAX = 300_000;
const ODD: readonly string[] = [
  '\0',
  '\r',
  '\n',
  '\r\n\r\n',
  '"',
  '\\',
  '\u202e',
  '\ud800',
  '{}',
  '[[',
  '= ',
  '-1',
  '1e999',
  '99999999999999999999',
  '__proto__',
  'Content-Length: ',
  '-----BEGIN CERTIFICATE-----',
  'x'.repeat(5000),
];

/** One to six changes to one of the seeds. */
export function mutate(seeds: readonly Buffer[], dice: Dice): Buffer {
  let bytes: Buffer = Buffer.from(dice.pick(seeds));
  for (let n = 1 + dice.below(6); n > 0; n -= 1) bytes = change(bytes, seeds, dice);
  return bytes.subarray(0, LENGTH_MAX);
}

function change(bytes: Buffer, seeds: readonly Buffer[], dice: Dice): Buffer {
  const at = dice.below(bytes.length + 1);
  const until = Math.min(bytes.length, at + 1 + dice.below(dice.below(4) === 0 ? bytes.length + 1 : 8));
  const [before, piece, behind] = [bytes.subarray(0, at), bytes.subarray(at, until), bytes.subarray(until)];
  switch (dice.below(7)) {
    case 0:
      return Buffer.concat([before, Buffer.from(piece.map((byte) => byte ^ (1 << dice.below(8)))), behind]);
    case 1:
      return Buffer.concat([before, behind]);
    case 2:
      return Buffer.concat([before, piece, piece, behind]);
    case 3:
      return Buffer.concat([before, Buffer.from(dice.pick(ODD)), piece, behind]);
    case 4:
      return Buffer.concat([before, Buffer.from([dice.below(256)]), behind]);
    case 5: {
      const other = dice.pick(seeds);
      return Buffer.concat([before, other.subarray(dice.below(other.length + 1))]);
    }
    default:
      return before;
  }
}
