// X-SafeTP1 for the model: the steps, the refusals and the shape of protected lines of daemon/security/safetp.ts, with words in the
// place of its cryptography and plain fields in the place of its closures, so that a state can come again. What the cryptography
// itself promises is tested where it is.
import type {
  DataProtection,
  LineProtection,
  MechanismClient,
  MechanismStep,
} from '../../daemon/security/mechanism.js';
import { parseBufferSizeReply, parseSmallestBufferSize } from '../../daemon/security/safetp/buffer-size.js';
import { parseMechanismHints } from '../../daemon/security/tls.js';
import type { Reply } from '../../daemon/ftp/reply-reader.js';
import type { ServerIdentity } from '../../shared/trust.js';

export const SAFETP_NAME = 'X-SafeTP1';

/** What the server says at each step; anything else is a refusal or an attack. */
export const SAFETP_WORDS = {
  key: '334 ADAT=key',
  exchange: '335 ADAT=exchange',
  agreed: '235 done',
  digest: '211 DIGT=ok',
} as const;

/** In front of each line of the client, and of the server, once they are protected. */
export const SEALED = 'ENC ';
export const OPENED = '632 ';

const IDENTITY: ServerIdentity = {
  mechanism: SAFETP_NAME,
  fingerprint: 'SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB',
  protocol: `${SAFETP_NAME} (legacy)`,
  cipher: 'none',
};

/** Takes the place of the function of that name in daemon/security/safetp.ts. */
export function createSafetpClient(): MechanismClient {
  return new StandIn();
}

type At = 'auth' | 'key' | 'proof' | 'digest' | 'over';

class StandIn implements MechanismClient {
  readonly name = SAFETP_NAME;
  readonly word = SAFETP_NAME;
  at: At = 'auth';

  start(): MechanismStep {
    return { kind: 'send', line: `AUTH ${SAFETP_NAME}` };
  }

  onReply({ code, lines }: Reply): MechanismStep {
    const line = lines.length === 1 ? (lines[0] ?? '') : '';
    switch (this.at) {
      case 'auth':
        if (code >= 400) return this.#refused(code, lines);
        return line === SAFETP_WORDS.key ? this.#judge() : this.#failed();
      case 'key':
        return line === SAFETP_WORDS.exchange ? this.#go('proof', 'ADAT proof') : this.#failed();
      case 'proof':
        return code === 235 && line !== '' && !line.includes('ADAT=') ? this.#wrap() : this.#failed();
      case 'digest':
        return line === SAFETP_WORDS.digest ? { kind: 'secured' } : this.#failed();
      case 'over':
        return this.#failed();
    }
  }

  #refused(code: number, lines: readonly string[]): MechanismStep {
    this.at = 'over';
    const hints = parseMechanismHints(lines.join(' '));
    return { kind: 'refused', reason: `AUTH ${SAFETP_NAME}: ${code}`, hints };
  }

  #judge(): MechanismStep {
    return { kind: 'judge', identity: IDENTITY, accepted: () => this.#go('key', 'ADAT key') };
  }

  #go(at: At, line: string): MechanismStep {
    this.at = at;
    return { kind: 'send', line };
  }

  #wrap(): MechanismStep {
    this.at = 'digest';
    return { kind: 'wrapLines', lines: new StandInLines(), first: 'DIGT' };
  }

  #failed(): MechanismStep {
    this.at = 'over';
    return { kind: 'failed', reason: 'not as it should be' };
  }
}

class StandInLines implements LineProtection {
  proposal = 32_768;

  /** The number of a line is left out: it only counts. */
  seal(line: Uint8Array): ReturnType<LineProtection['seal']> {
    const text = Buffer.from(line).toString('latin1');
    if (/[\r\n\0]/.test(text)) return undefined;
    return { wire: Buffer.from(`${SEALED}${text}\r\n`, 'latin1'), sequence: 1 };
  }

  open(wire: Uint8Array): Buffer | undefined {
    const text = Buffer.from(wire).toString('latin1');
    return text.startsWith(OPENED) ? Buffer.from(text.slice(OPENED.length), 'latin1') : undefined;
  }

  get bufferProposal(): number {
    return this.proposal;
  }

  onBufferReply(reply: string): ReturnType<LineProtection['onBufferReply']> {
    if (reply.startsWith('2')) return parseBufferSizeReply(reply, this.proposal) ?? 'broken';
    this.proposal = Math.max(this.proposal, parseSmallestBufferSize(reply) ?? 0);
    return 'refused';
  }

  transfer(): DataProtection {
    const never = (): never => {
      throw new Error('the model moves no data');
    };
    return { reader: never, writer: never };
  }
}
