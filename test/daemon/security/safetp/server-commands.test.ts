import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerCommands, violationReply } from '../../../../daemon/security/safetp/server-commands.js';
import { isDigestReply } from '../../../../daemon/security/safetp/transcript.js';

const digest = Buffer.alloc(20, 3);

function commands(requirePrivate = false): ServerCommands {
  return new ServerCommands({ digest, requirePrivate });
}

/** The codes with which these lines are answered, one after the other. */
function codes(server: ServerCommands, ...lines: readonly string[]): readonly (string | undefined)[] {
  return lines.map((line) => {
    const [verb = '', argument = ''] = line.split(' ');
    return server.answer(verb, argument)?.slice(0, 3);
  });
}

describe('a server inside ENC', () => {
  it('answers DIGT with the digest', () => {
    assert.ok(isDigestReply(commands().answer('digt', '') ?? '', digest));
    assert.ok(!isDigestReply(commands().answer('DIGT', '') ?? '', Buffer.alloc(20, 4)));
    for (const reply of ['502 no', '211 DIGT=', '211 DIGT=AAAA', '211', ''])
      assert.ok(!isDigestReply(reply, digest), reply);
  });
  it('wants PBSZ before PROT', () => {
    const server = commands();
    assert.deepEqual(codes(server, 'PROT P', 'PROT C', 'PBSZ 4096', 'PROT P'), ['503', '503', '200', '200']);
    assert.equal(server.level, 'P');
    assert.equal(server.bufferSize, 4096);
  });
  it('takes C, S and P in any case, and answers others as the specification says', () => {
    const server = commands();
    assert.deepEqual(codes(server, 'PBSZ 4096', 'PROT s', 'PROT E', 'PROT X', 'PROT', 'PROT C'), [
      '200',
      '200',
      '536',
      '504',
      '504',
      '200',
    ]);
    assert.equal(server.level, 'C');
  });
  it('keeps its level when a PROT is refused', () => {
    const server = commands();
    codes(server, 'PBSZ 4096', 'PROT P', 'PROT E');
    assert.equal(server.level, 'P');
  });
  it('that requires private data lowers nothing', () => {
    const server = commands(true);
    assert.deepEqual(codes(server, 'PBSZ 4096', 'PROT S', 'PROT C'), ['200', '522', '522']);
    assert.ok(!server.transferAllowed);
    assert.deepEqual(codes(server, 'PROT P'), ['200']);
    assert.ok(server.transferAllowed);
  });
  it('refuses what would undo the protection, and leaves the rest to others', () => {
    assert.deepEqual(
      codes(commands(), 'CCC', 'ENC x', 'MIC x', 'CONF x', 'REIN', 'AUTH TLS', 'ADAT x', 'USER a'),
      ['534', '500', '500', '500', '502', '503', '503', undefined],
    );
  });
  it('ends a session with one reply for each violation', () => {
    assert.match(violationReply({ kind: 'clear' }, 'NOOP'), /^533 /);
    assert.match(violationReply({ kind: 'clear' }, 'mic'), /^537 /);
    assert.match(violationReply({ kind: 'clear' }, 'CONF'), /^537 /);
    assert.match(violationReply({ kind: 'broken' }, 'ENC'), /^535 /);
  });
});
