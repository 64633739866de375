// The messages between the stand-in driver and its network; stand-in.c says what they mean.

const HEAD = 5;
const ADDRESS = 80;
const FLAGS_AT = 10;
export const OUTBOUND = 0x02;
const IPV6 = 0x10;
export const SUMS_VALID = 0x20 | 0x40;

export interface Message {
  readonly kind: string;
  readonly body: Buffer;
  /** Of `S` and `N`: the address's flags, what `addressOf` has put into it, and the packet. */
  readonly flags: number;
  readonly index: number;
  readonly bytes: Buffer;
}

/** What the driver says of an outbound packet; `index` stands in the interface, so that an address can be told from others. */
function addressOf(packet: Uint8Array, index: number, flags: number): Buffer {
  const address = Buffer.alloc(ADDRESS);
  address.writeBigInt64LE(1_000_000n + BigInt(index), 0);
  address[FLAGS_AT] = flags | ((packet[0] ?? 0) >> 4 === 6 ? IPV6 : 0);
  address.writeUInt32LE(index, 16);
  address.writeUInt32LE(7, 20);
  return address;
}

export function formatMessage(kind: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(body.length, 0);
  head.write(kind, 4);
  return Buffer.concat([head, body]);
}

/** These packets arrive at once, with the indexes 0, 1, 2 …, and may be read as one batch. */
export function arrivalMessage(packets: readonly Uint8Array[], flags = OUTBOUND | SUMS_VALID): Buffer {
  const parts = packets.flatMap((bytes, index) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [addressOf(bytes, index, flags), length, bytes];
  });
  return formatMessage('B', Buffer.concat(parts));
}

/** Returns what takes in pieces of a stream and hands over its messages. */
export function messagesIn(take: (message: Message) => void): (piece: Buffer) => void {
  let pieces: Buffer[] = [];
  let held = 0;
  return (piece) => {
    pieces.push(piece);
    held += piece.length;
    let rest = Buffer.concat(pieces, held);
    while (rest.length >= HEAD && rest.length >= HEAD + rest.readUInt32LE(0)) {
      const body = Buffer.from(rest.subarray(HEAD, HEAD + rest.readUInt32LE(0)));
      const kind = String.fromCharCode(rest[4] ?? 0);
      rest = rest.subarray(HEAD + body.length);
      const isPacket = kind === 'S' || kind === 'N';
      take({
        kind,
        body,
        flags: isPacket ? (body[FLAGS_AT] ?? 0) : 0,
        index: isPacket ? body.readUInt32LE(16) : 0,
        bytes: isPacket ? body.subarray(ADDRESS) : body,
      });
    }
    pieces = [rest];
    held = rest.length;
  };
}
