// The language of hostile peers, one action a line. Bytes are written as in test/transcripts (`\r \n \xHH`, `{text*N}`).
//
//   S: text          say a line          S. text       say exactly these bytes
//   C: WORD          wait for a line of the client that begins so
//   tls              TLS from here on, as the server
//   clear text       these bytes beside TLS, on the bare connection
//   goodbye          end TLS in order, and keep the connection
//   drip MS text     one byte after the other, MS milliseconds apart
//   flood MIB text   the text again and again, as fast as it is taken
//   wait MS          do nothing for so long
//   deaf             read nothing from here on
//   shut | reset     end the connection, in order or by reset
//   hold             keep the connection until the other side ends it
//
// In the middle, with a genuine server behind:
//   forge text       these bytes to the server, as if the client had said them
//   relay            everything passes from here on
//   until S: WORD    relay, up to and including a line of the server (or `C:`, of the client) that begins so
//   twice S: WORD    the same, and that line passes twice, in one packet
//   swallow S: WORD  the same, and that line does not pass
//   bytes N          relay until N bytes of the server have passed
import { decodeText } from '../../transcripts/notation.js';

export type Side = 'C' | 'S';

export type Action =
  | { readonly kind: 'say'; readonly bytes: Buffer }
  | { readonly kind: 'hear'; readonly word: string }
  | { readonly kind: 'clear'; readonly bytes: Buffer }
  | { readonly kind: 'forge'; readonly bytes: Buffer }
  | { readonly kind: 'drip'; readonly ms: number; readonly bytes: Buffer }
  | { readonly kind: 'flood'; readonly mebibytes: number; readonly bytes: Buffer }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'tls' | 'goodbye' | 'deaf' | 'shut' | 'reset' | 'hold' | 'relay' }
  | {
      readonly kind: 'line';
      readonly side: Side;
      readonly word: string;
      readonly times: 0 | 1 | 2;
    }
  | { readonly kind: 'bytes'; readonly count: number };

const TIMES = { until: 1, twice: 2, swallow: 0 } as const;

/** Throws for a line that means nothing. */
export function parseScript(text: string): readonly Action[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map(parseAction);
}

function parseAction(line: string): Action {
  const [word = '', ...rest] = line.split(' ');
  const tail = rest.join(' ');
  const [first = '', ...others] = rest;
  const behindFirst = decodeText(others.join(' '));
  switch (word) {
    case 'S:':
      return { kind: 'say', bytes: Buffer.concat([decodeText(tail), Buffer.from('\r\n')]) };
    case 'S.':
      return { kind: 'say', bytes: decodeText(tail) };
    case 'C:':
      return { kind: 'hear', word: tail };
    case 'clear':
    case 'forge':
      return { kind: word, bytes: decodeText(tail) };
    case 'drip':
      return { kind: 'drip', ms: Number(first), bytes: behindFirst };
    case 'flood':
      return { kind: 'flood', mebibytes: Number(first), bytes: behindFirst };
    case 'wait':
      return { kind: 'wait', ms: Number(tail) };
    case 'bytes':
      return { kind: 'bytes', count: Number(tail) };
    case 'until':
    case 'twice':
    case 'swallow':
      if (first !== 'S:' && first !== 'C:') break;
      return {
        kind: 'line',
        side: first === 'S:' ? 'S' : 'C',
        word: others.join(' '),
        times: TIMES[word],
      };
    case 'tls':
    case 'goodbye':
    case 'deaf':
    case 'shut':
    case 'reset':
    case 'hold':
    case 'relay':
      return { kind: word };
    default:
      break;
  }
  throw new Error(`not an action: ${line}`);
}
