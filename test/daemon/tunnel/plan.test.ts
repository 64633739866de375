import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePlace, planTunnel, type PlanWords } from '../../../daemon/tunnel/plan.js';

const words = (more: Partial<PlanWords> = {}): PlanWords => ({
  client: false,
  server: false,
  inetd: false,
  port: undefined,
  program: [],
  ...more,
});
const place = { host: 'a.test', port: 7000 };
const program = ['cat', '-u'];

describe('the plan of a tunnel', () => {
  for (const [name, given, plan] of [
    ['client', { port: 'a.test:7000' }, ['client', { kind: 'connect', place }, { kind: 'stdio' }]],
    [
      'client with a program as its clear side',
      { client: true, port: 'a.test:7000', program },
      ['client', { kind: 'connect', place }, { kind: 'program', argv: program }],
    ],
    ['client over a program', { program }, ['client', { kind: 'program', argv: program }, { kind: 'stdio' }]],
    ['embedded client', {}, ['client', { kind: 'descriptor', fd: 1 }, { kind: 'descriptor', fd: 0 }]],
    [
      'server',
      { server: true, port: 'a.test:7000' },
      ['server', { kind: 'listen', place }, { kind: 'stdio' }],
    ],
    [
      'server of a program',
      { server: true, port: 'a.test:7000', program },
      ['server', { kind: 'listen', place }, { kind: 'program', argv: program }],
    ],
    [
      'server of a program on descriptor 0',
      { server: true, program },
      ['server', { kind: 'descriptor', fd: 0 }, { kind: 'program', argv: program }],
    ],
    [
      'embedded server',
      { server: true },
      ['server', { kind: 'descriptor', fd: 0 }, { kind: 'descriptor', fd: 1 }],
    ],
    [
      'inetd, forwarding',
      { inetd: true, port: 'a.test:7000' },
      ['server', { kind: 'inetd' }, { kind: 'connect', place }],
    ],
    [
      'inetd, wrapping',
      { inetd: true, server: true, program },
      ['server', { kind: 'inetd' }, { kind: 'program', argv: program }],
    ],
  ] as const) {
    it(`as ${name}`, () => {
      const [role, secure, clear] = plan;
      assert.deepEqual(planTunnel(words(given)), { role, secure, clear });
    });
  }

  it('is refused where the words contradict each other', () => {
    assert.throws(() => planTunnel(words({ client: true, server: true })), /either client/);
    assert.throws(() => planTunnel(words({ client: true, inetd: true, port: '1' })), /either client/);
    assert.throws(() => planTunnel(words({ inetd: true })), /-i needs/);
    assert.throws(() => planTunnel(words({ inetd: true, port: '1', program })), /not both/);
  });
});

describe('a place', () => {
  it('is a port, a host with port, or an address with port', () => {
    assert.deepEqual(parsePlace('7000'), { host: undefined, port: 7000 });
    assert.deepEqual(parsePlace('A.test:7000'), { host: 'a.test', port: 7000 });
    assert.deepEqual(parsePlace('192.0.2.1:1'), { host: '192.0.2.1', port: 1 });
    assert.deepEqual(parsePlace('[2001:db8::1]:65535'), { host: '2001:db8::1', port: 65535 });
  });

  it('is nothing else', () => {
    for (const text of [
      '',
      '0',
      '65536',
      'a.test',
      'a.test:',
      'a test:1',
      '2001:db8::1',
      ':1',
      '-1',
      'a\0b:1',
    ]) {
      assert.throws(() => parsePlace(text), /no place/, JSON.stringify(text));
    }
  });
});
