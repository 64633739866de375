import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseFingerprint } from '../../../shared/fingerprint.js';
import { randomart } from '../../../tray/manager/randomart.js';

/** As OpenSSH 9.2 printed them. */
const recorded: readonly (readonly [string, string, string])[] = [
  [
    'SHA256:ziRGNMmLKWoyCefi6mFUVmjC/ILmpBIIE07RJPjNtoc',
    'ED25519 256',
    `+--[ED25519 256]--+
|==+..oo.         |
|*+.+..o.         |
|+++= o..         |
|=+*.*..          |
|*B.o oo S        |
|Xo. E..=         |
|==   .  o        |
|...              |
|+.               |
+----[SHA256]-----+`,
  ],
  [
    'SHA256:iS/R0JFWujVtT4jjsmNWITvyZ/NqaL5FtWwfPg626+w',
    'RSA 3072',
    `+---[RSA 3072]----+
|        .o.      |
|       .oo o .   |
|      ..+ * = .  |
|       + B B +   |
|      + S + + o  |
|       = * . o . |
|      . B.= o +  |
|       +o=.= + . |
|       ooo.+E..  |
+----[SHA256]-----+`,
  ],
];

const keygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

function art(fingerprint: string, title: string): string {
  const parsed = parseFingerprint(fingerprint);
  assert.ok(parsed);
  return randomart(parsed, title).join('\n');
}

describe('the picture of a fingerprint', () => {
  for (const [fingerprint, title, picture] of recorded) {
    it(`is that of OpenSSH: ${title}`, () => {
      assert.equal(art(fingerprint, title), picture);
    });
  }

  it('is that of ssh-keygen for twenty new keys', keygen ? {} : { skip: 'no ssh-keygen' }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftpseal-art-'));
    try {
      for (let n = 0; n < 20; n++) {
        const file = join(folder, String(n));
        execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
        const [first = '', ...picture] = execFileSync('ssh-keygen', ['-lv', '-f', file], { encoding: 'utf8' })
          .trimEnd()
          .split('\n');
        assert.equal(art(first.split(' ')[1] ?? '', 'ED25519 256'), picture.join('\n'));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keeps its frame, whatever the title', () => {
    const [first] = recorded;
    for (const title of ['', 'x', 'a title that is much too long']) {
      for (const line of art(first?.[0] ?? '', title).split('\n')) assert.equal(line.length, 19, line);
    }
  });
});
