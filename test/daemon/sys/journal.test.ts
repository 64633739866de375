// Entries for systemd's journal: written here, read back by the rules of its protocol. A real journald reads them in
// test/lab/package-service.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { journalEntry, openJournal, prefixedLine, type JournalFields } from '../../../daemon/sys/journal.js';

/** The protocol's own reader: a name, a line end, eight bytes of length, the value, a line end. */
function read(entry: Buffer): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (let at = 0; at < entry.length;) {
    const end = entry.indexOf(10, at);
    const name = entry.toString('utf8', at, end);
    assert.match(name, /^[A-Z][A-Z0-9_]{0,63}$/);
    const length = Number(entry.readBigUInt64LE(end + 1));
    found.push([name, entry.toString('utf8', end + 9, end + 9 + length)]);
    assert.equal(entry[end + 9 + length], 10);
    at = end + 10 + length;
  }
  return found;
}

describe('an entry for the journal', () => {
  it('has message, priority and each field under its own name', () => {
    assert.deepEqual(
      read(journalEntry('warn', 'a server spoke', { server: 'ä.test', sessionsLost: 3, ok: true })),
      [
        ['MESSAGE', 'a server spoke server=ä.test sessionsLost=3 ok=true'],
        ['PRIORITY', '4'],
        ['SYSLOG_IDENTIFIER', 'ftpseal'],
        ['FTPSEAL_SERVER', 'ä.test'],
        ['FTPSEAL_SESSIONS_LOST', '3'],
        ['FTPSEAL_OK', 'true'],
      ],
    );
  });

  it('can’t be made to carry a field, a line or a terminal’s language by a server', () => {
    const hostile = 'x\nPRIORITY=0\nMESSAGE=forged\r\n_UID=0\u2028\u001b[31m\u202e\u0000';
    const fields: JournalFields = { reason: hostile, 'A=B\nMESSAGE': 'y', _UID: 0, '': 1 };
    const entry = read(journalEntry('info', hostile, fields));
    const names = entry.map(([name]) => name);
    assert.deepEqual(names, [
      'MESSAGE',
      'PRIORITY',
      'SYSLOG_IDENTIFIER',
      'FTPSEAL_REASON',
      'FTPSEAL_ABMESSAGE',
      'FTPSEAL__UID',
    ]);
    for (const [name, value] of entry) assert.doesNotMatch(value, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, name);
    assert.equal(new Map(entry).get('PRIORITY'), '6');
    assert.doesNotMatch(prefixedLine('error', hostile, fields), /[\r\n]/);
    assert.match(prefixedLine('error', hostile, fields), /^<3>x PRIORITY=0/);
  });

  it('is bounded', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`f${n}`, 'x'.repeat(10_000)]));
    assert.ok(journalEntry('info', 'm', many).length < 160_000);
  });

  it('goes nowhere unless stderr is the journal', () => {
    assert.equal(openJournal({}), undefined);
    assert.equal(openJournal({ JOURNAL_STREAM: '1:2' }), undefined);
    assert.equal(openJournal({ JOURNAL_STREAM: 'nonsense' }), undefined);
  });

  it('arrives in one datagram, and a socket that is not there is no more than false', () => {
    const script = `
      import socket, os, subprocess, sys, tempfile
      place = tempfile.mkdtemp() + '/s'
      end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); end.bind(place); end.settimeout(20)
      seen = os.fstat(2)
      code = 'const { openJournal } = await import(process.argv[1]); const journal = openJournal(process.env, process.argv[2]);' \
        'process.stdout.write(String(journal("info", "hello", { server: "a" })) + String(openJournal(process.env, "/nowhere")("info", "x", {})))'
      env = dict(os.environ, JOURNAL_STREAM=f'{seen.st_dev}:{seen.st_ino}')
      told = subprocess.run([sys.argv[1], '--input-type=module', '-e', code, sys.argv[2], place], env=env, stdout=subprocess.PIPE)
      print(told.stdout.decode(), end.recv(65536).hex())`;
    const module = new URL('../../../daemon/sys/journal.js', import.meta.url).href;
    const lines = script
      .split('\n')
      .map((line) => line.replace(/^ {6}/, ''))
      .join('\n');
    const { stdout, stderr } = spawnSync('python3', ['-c', lines, process.execPath, module]);
    const [told = '', hex = ''] = stdout.toString().trim().split(' ');
    assert.equal(told, 'truefalse', stderr.toString());
    assert.deepEqual(
      read(Buffer.from(hex, 'hex')).map(([name]) => name),
      ['MESSAGE', 'PRIORITY', 'SYSLOG_IDENTIFIER', 'FTPSEAL_SERVER'],
    );
  });
});
