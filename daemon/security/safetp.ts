// AUTH X-SafeTP1: the mechanism of daemon/security/safetp as the session sees it. It ends with DIGT, the first protected command.
import type { ServerIdentity } from '../../shared/trust.js';
import type { Reply } from '../ftp/reply-reader.js';
import type { LineProtection, MechanismClient, MechanismContext, MechanismStep } from './mechanism.js';
import type { BrandedKey } from './safetp/branded-key.js';
import { parseBufferSizeReply, parseSmallestBufferSize } from './safetp/buffer-size.js';
import { SafetpClient, type SafetpClientStep } from './safetp/client.js';
import { isInnerLine } from './safetp/control-lines.js';
import { PBSZ_PROPOSED } from './safetp/limits.js';
import { systemRandom } from './safetp/native/random.js';
import type { SafetpSession } from './safetp/safetp-session.js';
import { DIGEST_REQUEST, isDigestReply } from './safetp/transcript.js';
import { SAFETP_NAME } from './safetp-name.js';
import { parseMechanismHints } from './tls.js';

/** An attempt on one connection. */
export function createSafetpClient(context: MechanismContext): MechanismClient {
  const client = new SafetpClient({
    server: context.server,
    groupBits: 2048,
    random: systemRandom,
    transcript: context.transcript,
  });
  let session: SafetpSession | undefined;
  const follow = (step: SafetpClientStep): MechanismStep => {
    switch (step.kind) {
      case 'send':
      case 'failed':
        return step;
      case 'refused':
        return {
          kind: 'refused',
          reason: `AUTH ${SAFETP_NAME}: ${step.code}`,
          hints: parseMechanismHints(step.text),
        };
      case 'judge':
        return { kind: 'judge', identity: identityOf(step.key), accepted: () => follow(client.onTrusted()) };
      case 'secured':
        session = step.session;
        return { kind: 'wrapLines', lines: linesOf(step.session), first: DIGEST_REQUEST };
    }
  };
  const onDigest = (reply: Reply, digest: Uint8Array): MechanismStep => {
    const [line, ...more] = reply.lines;
    if (line !== undefined && more.length === 0 && isDigestReply(line, digest)) return { kind: 'secured' };
    return { kind: 'failed', reason: 'what was said before the encryption did not arrive as it was sent' };
  };
  return {
    name: SAFETP_NAME,
    word: SAFETP_NAME,
    start: () => follow(client.start()),
    onReply: (reply) =>
      session === undefined ? follow(client.onReply(reply)) : onDigest(reply, session.digest),
  };
}

function identityOf(key: BrandedKey): ServerIdentity {
  return {
    mechanism: SAFETP_NAME,
    fingerprint: key.key.fingerprint,
    protocol: `${SAFETP_NAME} (legacy)`,
    cipher: 'Triple-DES and HMAC-SHA1',
    brand: key.brand,
  };
}

function linesOf(session: SafetpSession): LineProtection {
  let proposal = PBSZ_PROPOSED;
  return {
    seal: (line) => (isInnerLine(line) ? session.sealer.seal(line) : undefined),
    open: (wire) => {
      const opened = session.opener.open(wire);
      return opened.kind === 'line' ? opened.line : undefined;
    },
    get bufferProposal() {
      return proposal;
    },
    onBufferReply: (reply) => {
      if (reply.startsWith('2')) return parseBufferSizeReply(reply, proposal) ?? 'broken';
      proposal = Math.max(proposal, parseSmallestBufferSize(reply) ?? 0);
      return 'refused';
    },
    transfer: (fileSequence, bufferSize) => {
      const transfer = { level: 'P', fileSequence, bufferSize } as const;
      return { reader: () => session.blockReader(transfer), writer: () => session.blockWriter(transfer) };
    },
  };
}
