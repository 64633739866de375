import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  format227,
  format228,
  format229,
  formatEprtArgument,
  formatPortArgument,
  parse227,
  parse229,
  parseEprtArgument,
  parseHostArgument,
  parseLprtArgument,
  parsePortArgument,
  type AddressRead,
} from '../../../daemon/ftp/addresses.js';
import { formatEndpoint, parseIpAddress, parsePort, type Endpoint } from '../../../shared/endpoint.js';

/** What was read, as text: an endpoint, or why there is none. */
function show(read: AddressRead): string {
  return read.kind === 'endpoint' ? formatEndpoint(read.endpoint) : read.kind;
}

describe('the argument of PORT', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['192,0,2,1,15,160', '192.0.2.1:4000'],
    [' 192, 0, 2, 1, 15, 160 ', '192.0.2.1:4000'],
    ['192,0,2,1,255,255', '192.0.2.1:65535'],
    ['192,0,2,1,0,0', 'malformed'],
    ['192,0,2,1,15', 'malformed'],
    ['192,0,2,1,15,160,1', 'malformed'],
    ['192,0,2,256,15,160', 'malformed'],
    ['192,0,2,1,-1,160', 'malformed'],
    ['192,0,2,1,0x1,160', 'malformed'],
    ['192.0.2.1,15,160', 'malformed'],
    ['', 'malformed'],
  ];
  for (const [argument, expected] of cases) {
    it(argument === '' ? '(empty)' : argument, () => {
      assert.equal(show(parsePortArgument(argument)), expected);
    });
  }
});

describe('the argument of EPRT', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['|1|192.0.2.1|4000|', '192.0.2.1:4000'],
    ['|2|2001:DB8::1|4000|', '[2001:db8::1]:4000'],
    ['!1!192.0.2.1!4000!', '192.0.2.1:4000'],
    ['x1x192.0.2.1x4000x', '192.0.2.1:4000'],
    ['|2|::ffff:192.0.2.1|4000|', 'malformed'],
    ['|1|2001:db8::1|4000|', 'malformed'],
    ['|3|whatever|4000|', 'family'],
    ['||192.0.2.1|4000|', 'malformed'],
    ['|one|192.0.2.1|4000|', 'malformed'],
    ['|1|192.0.2.1|4000', 'malformed'],
    ['|1|192.0.2.1|0|', 'malformed'],
    ['|1|192.0.2.1|65536|', 'malformed'],
    ['|2|fe80::1%eth0|4000|', 'malformed'],
    ['1|1|192.0.2.1|4000|', 'malformed'],
    ['', 'malformed'],
  ];
  for (const [argument, expected] of cases) {
    it(argument === '' ? '(empty)' : argument, () => {
      assert.equal(show(parseEprtArgument(argument)), expected);
    });
  }
});

describe('the argument of LPRT', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['4,4,192,0,2,1,2,15,160', '192.0.2.1:4000'],
    ['6,16,32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1,2,15,160', '[2001:db8::1]:4000'],
    ['4,4,192,0,2,1,1,15', 'malformed'],
    ['4,16,192,0,2,1,2,15,160', 'malformed'],
    ['6,4,192,0,2,1,2,15,160', 'malformed'],
    ['9,4,192,0,2,1,2,15,160', 'family'],
    ['', 'malformed'],
  ];
  for (const [argument, expected] of cases) {
    it(argument === '' ? '(empty)' : argument, () => {
      assert.equal(show(parseLprtArgument(argument)), expected);
    });
  }
});

describe('a 227 reply', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['227 Entering Passive Mode (192,0,2,1,15,160).', '192.0.2.1:4000'],
    ['227 Entering Passive Mode 192,0,2,1,15,160', '192.0.2.1:4000'],
    ['227 =192,0,2,1,15,160', '192.0.2.1:4000'],
    ['227 (192, 0, 2, 1, 15, 160)', '192.0.2.1:4000'],
    ['227 in 2024, (192,0,2,1,15,160) it is', '192.0.2.1:4000'],
    ['227 (1,2,3,4,5) (192,0,2,1,15,160)', '192.0.2.1:4000'],
    ['227 (192,0,2,1,15,160,9)', undefined],
    ['227 (1192,0,2,1,15,160)', undefined],
    ['227 (192,0,2,1,15,256)', undefined],
    ['227 (192,0,2,1,0,0)', undefined],
    ['227 ok', undefined],
  ];
  for (const [text, expected] of cases) {
    it(text, () => {
      const endpoint = parse227(text);
      assert.equal(endpoint === undefined ? undefined : formatEndpoint(endpoint), expected);
    });
  }
});

describe('a 229 reply', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['229 Entering Extended Passive Mode (|||4000|)', 4000],
    ['229 Entering Extended Passive Mode (!!!4000!)', 4000],
    ['229 (|||4000|', 4000],
    ['229 (|1|192.0.2.1|4000|)', undefined],
    ['229 (|||0|)', undefined],
    ['229 (|||70000|)', undefined],
    ['229 (|||4000!)', undefined],
    ['229 4000', undefined],
  ];
  for (const [text, expected] of cases) {
    it(text, () => {
      assert.equal(parse229(text), expected);
    });
  }
});

describe('the argument of HOST', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['FTP.Example.com', 'ftp.example.com'],
    ['localhost', 'localhost'],
    ['a_b.example.com', 'a_b.example.com'],
    ['192.0.2.1', undefined],
    ['[2001:db8::1]', undefined],
    ['2001:db8::1', undefined],
    ['a..b', undefined],
    ['x y', undefined],
    ['', undefined],
    [`${'a.'.repeat(130)}com`, undefined],
  ];
  for (const [argument, expected] of cases) {
    it(argument === '' ? '(empty)' : argument.slice(0, 30), () => {
      assert.equal(parseHostArgument(argument), expected);
    });
  }
});

describe('what is formatted is read back', () => {
  const port = fc.integer({ min: 1, max: 65535 }).map((n) => parsePort(n)!);
  const endpointOf = (addresses: fc.Arbitrary<string>): fc.Arbitrary<Endpoint> =>
    fc.tuple(addresses, port).map(([text, number]) => ({ address: parseIpAddress(text)!, port: number }));
  const v4 = endpointOf(fc.ipV4());
  // An IPv4-mapped address is IPv4.
  const v6 = endpointOf(fc.ipV6().filter((text) => parseIpAddress(text)?.includes(':') === true));
  const any = fc.oneof(v4, v6);

  it('PORT and 227', () => {
    fc.assert(
      fc.property(v4, (endpoint) => {
        assert.deepEqual(parsePortArgument(formatPortArgument(endpoint)), { kind: 'endpoint', endpoint });
        assert.deepEqual(parse227(format227(endpoint)), endpoint);
      }),
    );
  });
  it('EPRT, 229 and 228', () => {
    fc.assert(
      fc.property(any, (endpoint) => {
        assert.deepEqual(parseEprtArgument(formatEprtArgument(endpoint)), { kind: 'endpoint', endpoint });
        assert.equal(parse229(format229(endpoint.port)), endpoint.port);
        const numbers = /\(([0-9,]+)\)/.exec(format228(endpoint))?.[1] ?? '';
        assert.deepEqual(parseLprtArgument(numbers), { kind: 'endpoint', endpoint });
      }),
    );
  });
  it('nothing that comes in makes a reader throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parsePortArgument(text);
        parseEprtArgument(text);
        parseLprtArgument(text);
        parse227(text);
        parse229(text);
        parseHostArgument(text);
      }),
    );
  });
});
