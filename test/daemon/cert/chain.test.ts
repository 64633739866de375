// Chains and what clients object to; each flaw has a sentence of its own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, describe, it } from 'node:test';
import { certificatesIn } from '../../../daemon/cert/authorities.js';
import { chainOf, pairUp, type Identity } from '../../../daemon/cert/chain.js';
import { findingSentence, judgeChain, type Finding } from '../../../daemon/cert/findings.js';
import { readMaterial } from '../../../daemon/cert/material.js';
import { issued, openWorkshop, selfSigned, threeSteps, type Workshop } from './openssl.js';

const DAY = 86_400_000;

let shop: Workshop;
before(() => {
  shop = openWorkshop();
  threeSteps(shop);
});
after(() => {
  shop.remove();
});

async function identity(files: readonly string[], trusted: readonly string[] = []): Promise<Identity> {
  const read = (name: string) => readFileSync(shop.path(name));
  const material = await readMaterial(
    files.map((name) => ({ name, bytes: read(name) })),
    () => Promise.resolve(undefined),
  );
  return pairUp(
    material,
    trusted.flatMap((name) => certificatesIn(read(name).toString())),
  );
}

let seen: readonly Finding[] = [];
beforeEach(() => {
  seen = [];
});

async function kinds(files: readonly string[], trusted: readonly string[] = [], now = Date.now()) {
  const { chain } = await identity(files, trusted);
  seen = judgeChain(chain, now);
  const openEnds = seen.map(findingSentence).filter((sentence) => !/^The .*\.$/.test(sentence));
  assert.deepEqual(openEnds, []);
  return seen.map((finding) => finding.kind);
}

describe('a chain', () => {
  it('that is whole has nothing against it, whether the authority is given or not', async () => {
    assert.deepEqual(await kinds(['ftp.key', 'ftp.crt', 'middle.crt'], ['root.crt']), []);
    assert.deepEqual(await kinds(['ftp.key', 'ftp.crt', 'middle.crt', 'root.crt'], ['root.crt']), []);
  });

  it('is sent without the authority itself, the server first', async () => {
    const { chain } = await identity(['root.crt', 'middle.crt', 'ftp.crt', 'ftp.key'], ['root.crt']);
    assert.deepEqual(
      chain.sent.map((one) => one.subject),
      ['CN=ftp', 'CN=middle'],
    );
  });

  it('in the wrong order', async () => {
    assert.deepEqual(await kinds(['ftp.key', 'middle.crt', 'ftp.crt'], ['root.crt']), ['wrong-order']);
    assert.deepEqual(await kinds(['ftp.key', 'ftp.crt', 'root.crt', 'middle.crt'], ['root.crt']), [
      'wrong-order',
    ]);
  });

  it('that is not whole names what is missing', async () => {
    assert.deepEqual(await kinds(['ftp.key', 'ftp.crt'], ['root.crt']), ['incomplete-chain']);
    assert.match(findingSentence(seen[0]!), /issuer \(CN=middle\) is missing/);
  });

  it('of an authority that is not known here', async () => {
    assert.deepEqual(await kinds(['ftp.key', 'ftp.crt', 'middle.crt', 'root.crt']), ['unknown-authority']);
  });

  it('with a certificate that does not belong to it', async () => {
    selfSigned(shop, 'stranger');
    assert.deepEqual(await kinds(['ftp.key', 'ftp.crt', 'middle.crt', 'stranger.crt'], ['root.crt']), [
      'unrelated',
    ]);
  });

  it('that is found without the key: the one that issued no other', async () => {
    const { chain } = await identity(['middle.key', 'middle.crt'], ['root.crt']);
    assert.equal(chain.leaf.subject, 'CN=middle');
    const all = ['root.crt', 'ftp.crt', 'middle.crt'].map((name) => readFileSync(shop.path(name), 'utf8'));
    assert.equal(chainOf(certificatesIn(all.join('')), [])?.leaf.subject, 'CN=ftp');
  });

  it('of a namesake of the authority is not whole: the signature decides, not the name', async () => {
    selfSigned(shop, 'namesake', ['-subj', '/CN=root']);
    assert.deepEqual(await kinds(['ftp.key', 'ftp.crt', 'middle.crt'], ['namesake.crt']), [
      'incomplete-chain',
    ]);
  });
});

describe('a key', () => {
  it('of another certificate is refused with both fingerprints', async () => {
    selfSigned(shop, 'other');
    await assert.rejects(identity(['other.key', 'ftp.crt']), (error: Error) => {
      assert.match(error.message, /private key in other\.key does not belong to the certificate in ftp\.crt/);
      assert.equal(error.message.match(/SHA256: (?:\S{4} ){10}\S{3}/g)?.length, 2);
      return true;
    });
  });

  it('or a certificate that is missing is said so', async () => {
    await assert.rejects(identity(['ftp.crt']), /no private key/);
    await assert.rejects(identity(['ftp.key']), /no certificate/);
  });

  it('is found among several', async () => {
    selfSigned(shop, 'other');
    const { chain } = await identity(['other.key', 'ftp.key', 'ftp.crt', 'middle.crt']);
    assert.equal(chain.leaf.subject, 'CN=ftp');
  });
});

describe('a certificate', () => {
  it('expired, not valid yet, expiring soon: by the clock', async () => {
    const files = ['ftp.key', 'ftp.crt', 'middle.crt'];
    const at = async (days: number) => kinds(files, ['root.crt'], Date.now() + days * DAY);
    assert.deepEqual(await at(301), ['expired', 'expired']);
    assert.match(findingSentence(seen[0]!), /CN=ftp expired on 20\d\d-/);
    assert.deepEqual(await at(-2), ['not-yet-valid', 'not-yet-valid']);
    assert.deepEqual(await at(290), ['expires-soon', 'expires-soon']);
  });

  it('signed by itself', async () => {
    selfSigned(shop, 'alone', ['-addext', 'subjectAltName=DNS:alone.test']);
    assert.deepEqual(await kinds(['alone.key', 'alone.crt']), ['self-signed']);
    assert.deepEqual(await kinds(['alone.key', 'alone.crt'], ['alone.crt']), []);
  });

  it('without names, for other purposes, weakly signed', async () => {
    const extensions = 'basicConstraints=CA:FALSE\n';
    issued(shop, 'bare', { by: 'root', extensions });
    assert.deepEqual(await kinds(['bare.key', 'bare.crt'], ['root.crt']), ['no-names']);
    issued(shop, 'mail', {
      by: 'root',
      extensions: 'subjectAltName=DNS:m.test\nextendedKeyUsage=emailProtection\n',
    });
    assert.deepEqual(await kinds(['mail.key', 'mail.crt'], ['root.crt']), ['wrong-purpose']);
    issued(shop, 'old', { by: 'root', hash: 'sha1' });
    assert.deepEqual(await kinds(['old.key', 'old.crt'], ['root.crt']), ['weak-signature']);
    assert.match(findingSentence(seen[0]!), /SHA-1, which can be forged/);
  });

  it('with a key of 1024 or 512 bits, which Ocean offered', async () => {
    for (const bits of [1024, 512]) {
      selfSigned(shop, 'weak', ['-addext', 'subjectAltName=DNS:w.test'], ['-newkey', `rsa:${bits}`]);
      assert.deepEqual(await kinds(['weak.key', 'weak.crt'], ['weak.crt']), ['weak-key']);
      assert.ok(findingSentence(seen[0]!).includes(`rsa ${bits}`));
    }
  });
});
