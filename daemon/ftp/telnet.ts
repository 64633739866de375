// The little of Telnet (RFC 854) that FTP clients really send: the Interrupt/Synch prefix of ABOR and STAT, and option commands.

const IAC = 0xff;
const WILL = 0xfb;
const SE = 0xf0;

/**
 * How many bytes in front of a line are Telnet commands, blanks between them included and blanks behind them not. Bytes from
 * 0xF0 without IAC count too: the urgent byte of a Synch is taken out of the stream by the operating system, which
 * leaves `IAC IP DM` or the like. An unfinished command at the end counts whole.
 */
export function telnetPrefixLength(line: Uint8Array): number {
  let length = 0;
  let at = 0;
  for (;;) {
    const first = line[at];
    if (first === 0x20 || first === 0x09) {
      at += 1;
      continue;
    }
    const size = first === undefined || first < SE ? 0 : commandSize(line, at);
    if (size === 0) return length;
    at = length = Math.min(at + size, line.length);
  }
}

/** 0 for IAC IAC and for IAC before an ordinary byte: these are data. */
function commandSize(line: Uint8Array, at: number): number {
  if (line[at] !== IAC) return 1;
  const command = line[at + 1];
  if (command === undefined) return 1;
  if (command < SE || command === IAC) return 0;
  return command >= WILL ? 3 : 2;
}
