import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  answerBufferSize,
  parseBufferSizeReply,
  parseSmallestBufferSize,
} from '../../../../daemon/security/safetp/buffer-size.js';

describe('PBSZ', () => {
  it('is answered by the table of the specification', () => {
    const table = {
      '32768': '200 PBSZ=32768',
      '4096': '200 PBSZ=4096',
      '131072': '200 PBSZ=131072',
      '131073': '200 PBSZ=131072',
      '4294967295': '200 PBSZ=131072',
      '4095': '538 Protection buffer too small. PBSZmin=4096',
      '0': '538 Protection buffer too small. PBSZmin=4096',
    };
    for (const [argument, reply] of Object.entries(table))
      assert.equal(answerBufferSize(argument).reply, reply);
    for (const argument of ['', '4294967296', '-1', '0x1000', '1e5', ' 4096', '99999999999'])
      assert.match(answerBufferSize(argument).reply, /^501 /, argument);
  });
  it('larger than proposed ends the session, and so does one below 4096 or no agreement', () => {
    assert.equal(parseBufferSizeReply('200 PBSZ=32768', 32_768), 32_768);
    assert.equal(parseBufferSizeReply('200 ok, PBSZ=8192', 32_768), 8192);
    assert.equal(parseBufferSizeReply('200 ok', 32_768), 32_768);
    for (const reply of [
      '200 PBSZ=32769',
      '200 PBSZ=4095',
      '200 PBSZ=',
      '200 PBSZ=x',
      '501 no',
      '538 PBSZmin=65536',
    ])
      assert.equal(parseBufferSizeReply(reply, 32_768), undefined, reply);
  });
  it('names its minimum in a refusal', () => {
    assert.equal(parseSmallestBufferSize('538 too small. PBSZmin=65536'), 65_536);
    assert.equal(parseSmallestBufferSize('538 too small. PBSZmin=1000000'), undefined);
    assert.equal(parseSmallestBufferSize('501 PBSZmin=65536'), undefined);
  });
});
