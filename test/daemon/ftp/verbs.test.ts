import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FTP_GIVEAWAYS, KNOWN_VERBS, verbInfo } from '../../../daemon/ftp/verbs.js';

describe('the verb table', () => {
  it('lets exactly these pass in clear', () => {
    const harmless = KNOWN_VERBS.filter((verb) => verbInfo(verb).harmless);
    assert.deepEqual(harmless.sort(), [
      'CLNT',
      'FEAT',
      'HELP',
      'HOST',
      'LANG',
      'NOOP',
      'OPTS',
      'QUIT',
      'SYST',
    ]);
  });
  it('knows the secrets', () => {
    const secret = KNOWN_VERBS.filter((verb) => verbInfo(verb).secret);
    assert.deepEqual(secret.sort(), ['ACCT', 'ADAT', 'CONF', 'ENC', 'MIC', 'PASS']);
  });
  it('sends exactly these while a transfer runs', () => {
    const outOfBand = KNOWN_VERBS.filter((verb) => verbInfo(verb).outOfBand);
    assert.deepEqual(outOfBand.sort(), ['ABOR', 'NOOP', 'QUIT', 'STAT']);
  });
  it('knows which transfers are uploads', () => {
    const transfers = KNOWN_VERBS.filter((verb) => verbInfo(verb).role === 'transfer');
    assert.deepEqual(transfers.sort(), ['APPE', 'LIST', 'MLSD', 'NLST', 'RETR', 'STOR', 'STOU']);
    const uploads = transfers.filter((verb) => verbInfo(verb).direction === 'upload');
    assert.deepEqual(uploads, ['APPE', 'STOR', 'STOU']);
  });
  it('takes unknown verbs for ordinary commands that may not pass in clear', () => {
    const info = verbInfo('XYZZY');
    assert.equal(info.role, 'simple');
    assert.equal(info.harmless, false);
  });
  it('has no harmless verb among the giveaways', () => {
    assert.equal(
      FTP_GIVEAWAYS.some((verb) => verbInfo(verb).harmless),
      false,
    );
  });
});
