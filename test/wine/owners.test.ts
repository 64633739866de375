// Who owns a connection and a process, asked of Windows' own functions.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { userIdSchema } from '../../shared/user-id-schema.js';
import { Wine } from './harness/wine.js';

const answerSchema = z.record(z.string(), z.unknown());

describe('owners on Windows', () => {
  let wine: Wine;
  before(() => {
    wine = Wine.open();
  });
  after(() => wine.close());

  it('are found by the connection: process, user, session, program, rights', async () => {
    const { sid, image, name, roundTrip, ...rest } = answerSchema.parse(await wine.guest('owners'));
    assert.match(String(userIdSchema.parse(sid)), /^S-1-5-21-/);
    assert.equal(image, wine.windowsPath(wine.nodeExe));
    assert.equal(roundTrip, sid, 'the account has a name, and the name leads back to it');
    assert.notEqual(name, sid);
    assert.deepEqual(rest, {
      isMyself: true,
      isAdministrator: true,
      stranger: null,
      noProcess: null,
      socketOwner: sid,
      program: 'node.exe',
      administrators: 'S-1-5-32-544',
      nobody: null,
    });
  });
});
