import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  checkAnswer,
  checkProof,
  formatAnswer,
  formatHello,
  formatProof,
  lineBytes,
  makeNonce,
  makeSecret,
  parseHello,
  parseSecret,
} from '../../../../daemon/ipc/windows/proof.js';

const secret = 'a'.repeat(64);
const nonces = { caller: '1'.repeat(64), daemon: '2'.repeat(64) };

describe('the proof between daemon and caller on Windows', () => {
  it('is an HMAC over role and both nonces, computed here by hand', () => {
    const by = (role: string) =>
      createHmac('sha256', Buffer.alloc(32, 0xaa))
        .update(`${role} ${nonces.caller} ${nonces.daemon}`)
        .digest('hex');
    assert.equal(formatAnswer(secret, nonces), `${nonces.daemon} ${by('daemon')}\n`);
    assert.equal(formatProof(secret, nonces), `${by('caller')}\n`);
  });

  it('says lines of one length each', () => {
    assert.equal(formatHello(makeNonce()).length, lineBytes.hello);
    assert.equal(formatAnswer(secret, nonces).length, lineBytes.answer);
    assert.equal(formatProof(secret, nonces).length, lineBytes.proof);
  });

  it('holds for who knows the secret', () => {
    assert.equal(parseHello(formatHello(nonces.caller)), nonces.caller);
    assert.equal(checkAnswer(formatAnswer(secret, nonces), secret, nonces.caller), nonces.daemon);
    assert.equal(checkProof(formatProof(secret, nonces), secret, nonces), true);
  });

  it('fails for another secret, another connection, and the other end’s own words', () => {
    const other = makeSecret();
    const again = { ...nonces, daemon: makeNonce() };
    assert.equal(checkAnswer(formatAnswer(other, nonces), secret, nonces.caller), undefined);
    assert.equal(checkAnswer(formatAnswer(secret, nonces), secret, makeNonce()), undefined);
    assert.equal(checkProof(formatProof(other, nonces), secret, nonces), false);
    assert.equal(checkProof(formatProof(secret, nonces), secret, again), false);
    assert.equal(checkProof(formatAnswer(secret, nonces).slice(65), secret, nonces), false);
  });

  it('takes nothing of another form', () => {
    for (const line of ['', 'x', formatHello('x'), `${formatHello(nonces.caller)}x`, 'GET / HTTP/1.1\r\n'])
      assert.equal(parseHello(line), undefined);
    assert.equal(checkAnswer('', secret, nonces.caller), undefined);
    assert.equal(checkProof('', secret, nonces), false);
    for (const text of ['', 'g'.repeat(64), `${secret}\n`]) assert.equal(parseSecret(text), undefined);
    assert.equal(parseSecret(makeSecret())?.length, 64);
  });
});
