// What the kernel tells about changes of nftables (group NFNLGRP_NFTABLES), as far as it concerns ftpseal's own tables. Pure.

/** What became of a table: made anew, gone, or robbed of chains or rules. */
export type TableState = 'whole' | 'gone' | 'damaged';

export interface TableStates {
  readonly states: ReadonlyMap<string, TableState>;
  /** The program that changed one of them last, as the kernel names it; undefined before any change. */
  readonly by: string | undefined;
  /** The transaction that changed one of them has not told yet who made it. */
  readonly unsigned: boolean;
}

export const noChanges: TableStates = { states: new Map(), by: undefined, unsigned: false };

const NFNL_SUBSYS_NFTABLES = 10;
const NEWTABLE = 0;
const DELTABLE = 2;
const DELCHAIN = 5;
const DELRULE = 8;
const NEWGEN = 15;
const NFPROTO_INET = 1;
/** The first attribute of each of these messages but the last. */
const TABLE_NAME = 1;
const GEN_PROC_NAME = 3;
const HEADER = 16;
const FAMILY_HEADER = 4;

/**
 * The states after one more datagram. A table that is deleted and made again in one transaction, as ftpseal does itself, is whole:
 * order decides. A change of its sets is none of this.
 */
export function afterMessages(before: TableStates, tables: readonly string[], bytes: Buffer): TableStates {
  const states = new Map(before.states);
  let { by, unsigned } = before;
  for (const { type, family, attributes } of messages(bytes)) {
    if (type === NEWGEN) {
      if (unsigned) by = textOf(attributes.get(GEN_PROC_NAME));
      unsigned = false;
      continue;
    }
    const name = textOf(attributes.get(TABLE_NAME));
    if (family !== NFPROTO_INET || name === undefined || !tables.includes(name)) continue;
    const state = stateBy(type);
    if (state === undefined) continue;
    states.set(name, state);
    unsigned = true;
  }
  return { states, by, unsigned };
}

function stateBy(type: number): TableState | undefined {
  switch (type) {
    case NEWTABLE:
      return 'whole';
    case DELTABLE:
      return 'gone';
    case DELCHAIN:
    case DELRULE:
      return 'damaged';
    default:
      return undefined;
  }
}

interface Message {
  readonly type: number;
  readonly family: number;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

/** struct nlmsghdr, struct nfgenmsg, attributes; what does not fit ends the list. */
function messages(bytes: Buffer): readonly Message[] {
  const found: Message[] = [];
  for (let offset = 0; offset + HEADER + FAMILY_HEADER <= bytes.length;) {
    const length = bytes.readUInt32LE(offset);
    if (length < HEADER + FAMILY_HEADER || offset + length > bytes.length) break;
    const type = bytes.readUInt16LE(offset + 4);
    if (type >> 8 === NFNL_SUBSYS_NFTABLES) {
      const body = bytes.subarray(offset + HEADER, offset + length);
      found.push({
        type: type & 0xff,
        family: body.readUInt8(0),
        attributes: attributesIn(body.subarray(FAMILY_HEADER)),
      });
    }
    offset += (length + 3) & ~3;
  }
  return found;
}

function attributesIn(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let offset = 0; offset + 4 <= bytes.length;) {
    const length = bytes.readUInt16LE(offset);
    if (length < 4 || offset + length > bytes.length) break;
    // The two highest bits say how it is encoded.
    found.set(bytes.readUInt16LE(offset + 2) & 0x3fff, bytes.subarray(offset + 4, offset + length));
    offset += (length + 3) & ~3;
  }
  return found;
}

function textOf(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}
