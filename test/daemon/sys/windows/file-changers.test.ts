// Who may change a file, read out of descriptors as Windows writes them; the reading is pure and runs everywhere.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changerIn } from '../../../../daemon/sys/windows/file-changers.js';
import { parseSid } from '../../../../shared/user-id.js';

const own = parseSid('S-1-5-21-1-2-3-1001');
assert.ok(own);

describe('who may change a file', () => {
  it('is nobody but administrators, where others may only read', () => {
    for (const descriptor of [
      'O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)',
      'O:SYG:SYD:PAI(A;;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FR;;;BU)(A;;FX;;;WD)',
      'O:BAD:(D;;FA;;;WD)(A;;FA;;;BA)(A;OICIIO;GA;;;BU)(A;OICIIO;FA;;;CO)',
      'O:S-1-5-32-544D:P(A;;FA;;;S-1-5-18)',
      // A list without entries lets nobody do anything.
      'O:BAD:P',
    ])
      assert.equal(changerIn(descriptor, []), undefined, descriptor);
  });

  it('is whoever may write, append, delete, or change rights', () => {
    for (const [rights, who] of [
      ['FA', 'BU'],
      ['0x1301bf', 'AU'],
      ['GW', 'WD'],
      ['0x2', 'BU'],
      ['0x4', 'BU'],
      ['0x40', 'BU'],
      ['0x10000', 'BU'],
      ['0x40000', 'BU'],
      ['0x80000', 'IU'],
      ['FRSD', 'BU'],
      ['nonsense', 'S-1-5-21-1-2-3-1001'],
    ] as const)
      assert.equal(changerIn(`O:BAD:P(A;;FA;;;BA)(A;OICI;${rights};;;${who})`, []), who, rights);
  });

  it('is an owner who is no administrator, who can give the rights to anybody', () => {
    assert.equal(changerIn('O:BUD:P(A;;FA;;;BA)', []), 'BU');
    assert.equal(changerIn(`O:${own}D:P(A;;FA;;;SY)`, []), own);
    assert.equal(changerIn(`O:${own}D:P(A;;FA;;;SY)(A;;FA;;;${own})`, [own]), undefined);
  });

  it('is everybody, where there is no list or nothing that can be read', () => {
    for (const descriptor of ['', 'O:BA', 'O:BAD:NO_ACCESS_CONTROL', 'O:BAD:P(A;;FA;;;BA', 'nonsense'])
      assert.notEqual(changerIn(descriptor, []), undefined, descriptor);
  });
});
