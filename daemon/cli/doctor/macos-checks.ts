// What `ftpseal doctor` says on macOS: above all that nothing of this was ever run there. Unrun itself, but for its test.
import { existsSync } from 'node:fs';
import { notOnMacos } from '../../supervisor/system-ground.js';
import type { Finding } from './checks.js';

const pfctl = '/sbin/pfctl';

export function macosFindings(): readonly Finding[] {
  return [
    {
      check: 'macOS',
      state: 'warn',
      text: 'what ftpseal does here was written without a Mac and has never run on one',
      todo: 'docs/macos.md says how to try it',
    },
    existsSync(pfctl)
      ? { check: 'pfctl', state: 'ok', text: pfctl }
      : {
          check: 'pfctl',
          state: 'fail',
          text: `${pfctl} is missing`,
          todo: 'it is a part of macOS; repair the system',
        },
    process.geteuid?.() === 0
      ? { check: 'rights', state: 'ok', text: 'this user may change the redirect' }
      : { check: 'rights', state: 'warn', text: 'this user may not redirect connections', todo: 'use sudo' },
    { check: 'daemon', state: 'fail', text: notOnMacos, todo: 'nothing of this Mac’s FTP is secured now' },
  ];
}
