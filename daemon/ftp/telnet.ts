// The little of Telnet (RFC 854) that FTP clients really send: the Interrupt/Synch prefix of ABOR and STAT, and option commands.

const IAC = 0xff;
const WILL = 0xfb;
const SE = 0xf0;

/**
 * How many bytes of Telnet commands stand in front of a line. Bytes from 0xF0 without IAC count too: the urgent
 * byte of a Synch is taken out of the stream by the operating system, which leaves `IAC IP DM` or the like.
 */
export function telnetPrefixLength(line: Uint8Array): number {
  let at = 0;
  for (;;) {
    const first = line[at];
    if (first === undefined || first < SE) return at;
    if (first !== IAC) {
      at += 1;
      continue;
    }
    const command = line[at + 1];
    if (command === undefined || command < SE || command === IAC) return command === undefined ? at + 1 : at;
    at += command >= WILL ? 3 : 2;
  }
}
