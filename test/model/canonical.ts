// The state of a session as a text: two sessions with the same text do the same for ever after. What only counts (how many
// transfers there were, which number a channel has) is left out or made relative, else no state would ever come again.

/** Fields that only count, never change, follow from others, or only appear in a sentence. */
const COUNTERS: ReadonlySet<string> = new Set([
  'completed',
  'cut',
  '_$channels',
  'context',
  'info',
  '_$reasons',
  // A digest of all that was said, in native code; the stand-in for X-SafeTP1 does not ask for it.
  '_$hash',
]);

interface Writing {
  readonly seen: Map<object, number>;
  /** The number of the newest channel. */
  readonly newest: number;
  out: string;
}

/** `newest`: the number of the newest channel, from which the others are counted back. Throws for a kind of value it does not know. */
export function canonicalForm(root: object, newest: number): string {
  const writing: Writing = { seen: new Map(), newest, out: '' };
  write(writing, '', root);
  return writing.out;
}

function write(writing: Writing, key: string, value: unknown): void {
  switch (typeof value) {
    case 'undefined':
      writing.out += '-';
      return;
    case 'boolean':
    case 'number':
      writing.out += key === 'id' && typeof value === 'number' ? `c${writing.newest - value}` : String(value);
      return;
    case 'string':
      writing.out += JSON.stringify(value);
      return;
    case 'function':
      // A method given as a value; what it closes over is reached another way.
      return;
    case 'object':
      writeObject(writing, value);
      return;
    default:
      throw new Error(`no canonical form for ${key}: ${typeof value}`);
  }
}

function writeObject(writing: Writing, value: object | null): void {
  if (value === null) {
    writing.out += 'null';
    return;
  }
  if (value instanceof Uint8Array) {
    writing.out += `<${Buffer.from(value).toString('latin1')}>`;
    return;
  }
  const before = writing.seen.get(value);
  if (before !== undefined) {
    writing.out += `^${before}`;
    return;
  }
  writing.seen.set(value, writing.seen.size);
  if (Array.isArray(value) || value instanceof Set) writeItems(writing, [...value]);
  else if (value instanceof Map) writeItems(writing, [...value.entries()]);
  else if ('_$buffer' in value && '_$start' in value) writeReader(writing, value);
  else writeFields(writing, value);
}

function writeItems(writing: Writing, items: readonly unknown[]): void {
  writing.out += '[';
  for (const item of items) {
    write(writing, '', item);
    writing.out += ',';
  }
  writing.out += ']';
}

function writeFields(writing: Writing, value: object): void {
  writing.out += '{';
  for (const [key, field] of Object.entries(value)) {
    if (COUNTERS.has(key)) continue;
    writing.out += `${key}:`;
    write(writing, key, field);
  }
  writing.out += '}';
}

/** A line reader: what was read already is no state, where it lies in its buffer neither. */
function writeReader(writing: Writing, value: object): void {
  const reader = value as Record<string, unknown>;
  const [buffer, start, scanned] = [reader['_$buffer'], reader['_$start'], reader['_$scanned']];
  if (!(buffer instanceof Uint8Array) || typeof start !== 'number' || typeof scanned !== 'number')
    throw new Error('the line reader has changed its fields');
  const rest = Buffer.from(buffer.subarray(start)).toString('latin1');
  writing.out += `r<${rest}>${scanned - start}${String(reader['_$dead'])}`;
}
