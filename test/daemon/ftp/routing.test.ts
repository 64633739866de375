import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCommand } from '../../../daemon/ftp/command-reader.js';
import { OUTSTANDING_MAX } from '../../../daemon/ftp/limits.js';
import { isAnonymous, routeCommand, type Route, type RouteView } from '../../../daemon/ftp/routing.js';
import { KNOWN_VERBS, verbInfo } from '../../../daemon/ftp/verbs.js';
import { parseEndpoint } from '../../../shared/endpoint.js';

const VIEW: RouteView = {
  phase: 'secured',
  idle: true,
  inDoubt: false,
  pipelinable: true,
  transferring: false,
  settingUp: false,
  holding: false,
  outstanding: 0,
  direct: false,
  protection: 'private',
  epsvAll: false,
  anonymousOnly: false,
  client: parseEndpoint('192.0.2.100:40000')!,
  label: 'ftp.example.com',
};

function route(line: string, view: Partial<RouteView>): Route {
  return routeCommand(parseCommand(Buffer.from(`${line}\r\n`, 'latin1')), { ...VIEW, ...view });
}

/** A route in short: its kind, with the exchange or the code of its answer. */
function show(found: Route): string {
  if (found.kind === 'send') return `send ${found.exchange.kind}`;
  if (found.kind === 'answer') return found.text.slice(0, 3);
  return found.kind;
}

const BUSY: Partial<RouteView> = { idle: false, outstanding: 1 };
const TRANSFERRING: Partial<RouteView> = { ...BUSY, transferring: true, pipelinable: false };

describe('where a command goes', () => {
  const cases: readonly (readonly [string, string, Partial<RouteView>, string])[] = [
    ['plain, harmless', 'FEAT', { phase: 'plain' }, 'send relay'],
    ['plain, harmless behind others', 'FEAT', { phase: 'plain', ...BUSY }, 'send relay'],
    ['plain, harmless but unclean', 'NOOP\rUSER x', { phase: 'plain' }, 'negotiate'],
    ['plain, USER', 'USER bob', { phase: 'plain' }, 'negotiate'],
    ['plain, USER behind others', 'USER bob', { phase: 'plain', ...BUSY }, 'wait'],
    ['plain, AUTH', 'AUTH TLS', { phase: 'plain' }, 'clientAuth'],
    ['plain, AUTH behind others', 'AUTH TLS', { phase: 'plain', ...BUSY }, 'wait'],
    ['plain, blank', ' ', { phase: 'plain' }, 'drop'],
    ['in AUTH, unanswered', 'ADAT x', { phase: 'clientAuth', ...BUSY }, 'wait'],
    ['in AUTH, ADAT', 'ADAT x', { phase: 'clientAuth' }, 'send clientAuth'],
    ['in AUTH, ADAT unclean', 'ADAT x\rUSER y', { phase: 'clientAuth' }, 'leaveAuth'],
    ['in AUTH, USER', 'USER x', { phase: 'clientAuth' }, 'leaveAuth'],
    ['secured', 'PWD', {}, 'send relay'],
    ['secured, too much outstanding', 'PWD', { outstanding: OUTSTANDING_MAX }, 'wait'],
    ['secured, behind what is not to be pipelined', 'PWD', { ...BUSY, pipelinable: false }, 'wait'],
    ['secured, while a port is arranged', 'NOOP', { settingUp: true }, 'wait'],
    ['secured, an ABOR in doubt', 'PWD', { ...BUSY, inDoubt: true }, 'fence'],
    ['secured, ABOR idle', 'ABOR', {}, 'send abort'],
    ['secured, ABOR behind others', 'ABOR', BUSY, 'wait'],
    ['secured, ABOR behind a held reply', 'ABOR', { holding: true }, 'send abort'],
    ['transferring, ABOR', 'ABOR', TRANSFERRING, 'send abort'],
    ['transferring, STAT', 'STAT', TRANSFERRING, 'send relay'],
    ['transferring, QUIT', 'QUIT', TRANSFERRING, 'send relay'],
    ['transferring, PWD', 'PWD', TRANSFERRING, 'wait'],
    ['transferring, PASV', 'PASV', TRANSFERRING, 'wait'],
    ['holding, PWD', 'PWD', { holding: true }, 'send relay'],
    ['holding, PASV', 'PASV', { holding: true }, 'wait'],
    ['holding, MODE B', 'MODE B', { holding: true }, 'wait'],
    ['PASV', 'PASV', {}, 'setUp'],
    ['PASV over IPv6', 'PASV', { client: parseEndpoint('[2001:db8::2]:40000')! }, '522'],
    ['PASV before PROT', 'PASV', { protection: 'unknown' }, 'protect'],
    ['RETR before PROT', 'RETR x', { protection: 'asked' }, 'protect'],
    ['PASV, protection refused', 'PASV', { protection: 'refused' }, '522'],
    ['PASV past the proxy', 'PASV', { direct: true, protection: 'clear' }, 'send relay'],
    ['PORT past the proxy', 'PORT 1,2,3,4,5,6', { direct: true, protection: 'clear' }, 'send relay'],
    ['RETR past the proxy', 'RETR x', { direct: true, protection: 'clear' }, 'transfer'],
    ['MODE B past the proxy', 'MODE B', { direct: true, protection: 'clear' }, 'send relay'],
    ['PORT of the client', 'PORT 192,0,2,100,15,160', {}, 'setUp'],
    ['PORT of somebody else', 'PORT 192,0,2,99,15,160', {}, '504'],
    ['EPSV ALL', 'EPSV ALL', {}, 'send relay'],
    ['PASV after EPSV ALL', 'PASV', { epsvAll: true }, '503'],
    ['EPSV after EPSV ALL', 'EPSV', { epsvAll: true }, 'setUp'],
    ['AUTH secured', 'AUTH TLS', {}, '503'],
    ['AUTH in clear', 'AUTH TLS', { phase: 'cleartext', direct: true }, 'clientAuth'],
    ['ADAT in clear', 'ADAT x', { phase: 'cleartext', direct: true }, 'send relay'],
    ['PBSZ secured', 'PBSZ 0', {}, '200'],
    ['PROT C secured', 'PROT c', {}, '200'],
    ['PROT P secured', 'PROT P', {}, '536'],
    ['CCC secured', 'CCC', {}, '534'],
    ['SSCN secured', 'SSCN ON', {}, '502'],
    ['SSCN in clear', 'SSCN ON', { phase: 'cleartext', direct: true }, 'send relay'],
    ['REIN', 'REIN', {}, 'send reinitialise'],
    ['REIN behind others', 'REIN', BUSY, 'wait'],
    ['anonymous only, USER bob', 'USER bob', { phase: 'cleartext', anonymousOnly: true }, 'judgeClear'],
    [
      'anonymous only, USER bob behind others',
      'USER bob',
      { phase: 'cleartext', anonymousOnly: true, ...BUSY },
      'wait',
    ],
    ['anonymous only, USER ftp', 'USER ftp', { phase: 'cleartext', anonymousOnly: true }, 'send relay'],
  ];
  for (const [title, line, view, expected] of cases) {
    it(title, () => {
      assert.equal(show(route(line, view)), expected);
    });
  }

  it('no command but harmless ones and AUTH leaves in clear, in whatever state', () => {
    const flags = [true, false];
    for (const verb of [...KNOWN_VERBS, 'XYZZY', '']) {
      for (const idle of flags)
        for (const pipelinable of flags)
          for (const direct of flags) {
            const found = route(`${verb} x`, { phase: 'plain', idle, pipelinable, direct });
            if (found.kind === 'send') assert.ok(verbInfo(verb).harmless, verb);
            if (found.kind === 'clientAuth') assert.equal(verb, 'AUTH');
          }
    }
  });
});

it('an anonymous login', () => {
  const isIt = (line: string): boolean => isAnonymous(parseCommand(Buffer.from(line)));
  assert.equal(isIt('USER anonymous\r\n'), true);
  assert.equal(isIt('user FTP \r\n'), true);
  assert.equal(isIt('USER ftpadmin\r\n'), false);
  assert.equal(isIt('USER anonymous@x\r\n'), false);
  assert.equal(isIt('PASS anonymous\r\n'), false);
});
