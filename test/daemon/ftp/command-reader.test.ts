import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandReader, parseCommand } from '../../../daemon/ftp/command-reader.js';
import { COMMAND_LINE_MAX } from '../../../daemon/ftp/limits.js';

interface Expected {
  readonly verb: string;
  readonly argument: string;
  readonly raw?: string;
  readonly clean?: boolean;
}

describe('a command line', () => {
  const cases: readonly (readonly [string, Expected])[] = [
    ['USER bob\r\n', { verb: 'USER', argument: 'bob' }],
    ['user bob\n', { verb: 'USER', argument: 'bob' }],
    ['QUIT\r\n', { verb: 'QUIT', argument: '' }],
    ['RETR  two blanks \r\n', { verb: 'RETR', argument: ' two blanks ' }],
    ['RETR\ttab\r\n', { verb: 'RETR', argument: 'tab' }],
    [' \tUSER bob\r\n', { verb: 'USER', argument: 'bob' }],
    ['SIZE \xe9\xff\r\n', { verb: 'SIZE', argument: '\xe9\xff' }],
    ['NOOP\rUSER bob\r\n', { verb: 'NOOP', argument: '\rUSER bob', clean: false }],
    ['NOOP\0x\r\n', { verb: 'NOOP', argument: '\0x', clean: false }],
    ['NOOP\r\r\n', { verb: 'NOOP', argument: '\r', clean: false }],
    ['\r\n', { verb: '', argument: '' }],
    ['\xff\xf4\xff\xf2ABOR\r\n', { verb: 'ABOR', argument: '', raw: 'ABOR\r\n' }],
    ['\xff\xf4\xf2ABOR\r\n', { verb: 'ABOR', argument: '', raw: 'ABOR\r\n' }],
    ['\xf2ABOR\r\n', { verb: 'ABOR', argument: '', raw: 'ABOR\r\n' }],
    ['\xff\xfd\x06 \xff\xf1 USER bob\r\n', { verb: 'USER', argument: 'bob', raw: ' USER bob\r\n' }],
    ['pa\xdf x\r\n', { verb: 'PA\xdf', argument: 'x' }],
    ['\xff\xffUSER bob\r\n', { verb: '\xff\xffUSER', argument: 'bob' }],
  ];
  for (const [line, expected] of cases) {
    it(JSON.stringify(line), () => {
      const command = parseCommand(Buffer.from(line, 'latin1'));
      assert.equal(command.verb, expected.verb);
      assert.equal(command.argument, expected.argument);
      assert.equal(command.raw.toString('latin1'), expected.raw ?? line);
      assert.equal(command.line.toString('latin1'), line);
      assert.equal(command.clean, expected.clean ?? true);
    });
  }
});

describe('CommandReader', () => {
  it('reads commands in any portions', () => {
    const reader = new CommandReader();
    const verbs: string[] = [];
    for (const character of 'USER a\r\nPASS b\r\nPA') {
      reader.push(Buffer.from(character));
      const read = reader.read();
      if (read.kind === 'command') verbs.push(read.command.verb);
    }
    assert.deepEqual(verbs, ['USER', 'PASS']);
    assert.equal(reader.peekRest().toString(), 'PA');
    assert.equal(reader.takeRest().toString(), 'PA');
  });
  it('refuses a line over the limit', () => {
    const reader = new CommandReader();
    reader.push(Buffer.alloc(COMMAND_LINE_MAX + 1, 0x61));
    assert.equal(reader.read().kind, 'too-long');
  });
});
