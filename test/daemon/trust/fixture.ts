// One certificate with its digests as openssl computes them (independent of the code under test), and makers of records.
import { parseIpAddress, parsePort, type Endpoint } from '../../../shared/endpoint.js';
import { formatFingerprint, type KeyFingerprint } from '../../../shared/fingerprint.js';
import type { HostPolicy } from '../../../shared/policy.js';
import type { Connection, Question } from '../../../shared/trust.js';
import type { PinRecord } from '../../../daemon/trust/pin-record.js';

export const certificatePem = `-----BEGIN CERTIFICATE-----
MIIBkTCCATegAwIBAgIUf5odH0sHggTZxWLnXnlNMbKIUuMwCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSZmlsZXMuZXhhbXBsZS50ZXN0MCAXDTI2MTEyMDA4MzU1OVoY
DzIxMjYxMDI3MDgzNTU5WjAdMRswGQYDVQQDDBJmaWxlcy5leGFtcGxlLnRlc3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARa0NhRq2a32VblgWD9Z9pRjtHjc0ON
UKM375+Fhei3cO7L+MuUivEPZFZDUuk4oxpmo7/N3YWw6iuCBnHPjXAjo1MwUTAd
BgNVHQ4EFgQUp6MZsBAIv5cCfgnE0JgT7O/yPtEwHwYDVR0jBBgwFoAUp6MZsBAI
v5cCfgnE0JgT7O/yPtEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBF
AiBhqfgbSf2XomZ9FEHNpD4z1Bg3ToI5IPeq7jFEyiMXHAIhAON5RsKURZ7vmR7V
H0H7D59/POdGZxg6nu/EOk2hBn4R
-----END CERTIFICATE-----
`;

export const publicKeyPem = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWtDYUatmt9lW5YFg/WfaUY7R43ND
jVCjN++fhYXot3Duy/jLlIrxD2RWQ1LpOKMaZqO/zd2FsOorggZxz41wIw==
-----END PUBLIC KEY-----
`;

/** openssl x509 -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 */
export const keyFingerprint = 'SHA256:1+Q2rXOr4qT9FNJnfKtwzrcxyM2+HM/LT6S0QzHBGWY';
/** openssl x509 -outform der | openssl dgst -sha256 */
export const certificateHex = '1d8657222f543dfa659ac6fadeffec7e8cdbfc3404100b9d4cb820a950df6ed7';

export const certificateDer = Buffer.from(certificatePem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

/** A fingerprint that differs for every letter. */
export function key(letter: string): KeyFingerprint {
  return formatFingerprint(Buffer.alloc(32, letter));
}

export function at(address: string, port = 21): Endpoint {
  return { address: parseIpAddress(address)!, port: parsePort(port)! };
}

export function pin(fields: Partial<PinRecord> = {}): PinRecord {
  return {
    owner: { kind: 'user', uid: 1000 },
    ...at('192.0.2.1'),
    fingerprint: key('a'),
    mechanism: 'TLS',
    firstSeen: 1,
    count: 0,
    revoked: false,
    comment: '',
    ...fields,
  };
}

export function connection(fields: Partial<Connection> = {}): Connection {
  return { server: at('192.0.2.1'), client: at('192.0.2.9', 40000), uid: 1000, ...fields };
}

export function keyQuestion(
  fingerprint: string,
  fields: { caValidFor?: string; der?: string } = {},
): Question {
  const certificate = {
    subject: 'CN=x',
    issuer: 'CN=x',
    names: [],
    validFrom: '',
    validTo: '',
    keyType: 'EC',
    der: fields.der ?? '',
  };
  return {
    kind: 'key',
    identity: {
      mechanism: 'TLS',
      fingerprint,
      protocol: 'TLSv1.3',
      cipher: 'x',
      ...(fields.caValidFor === undefined ? {} : { caValidFor: fields.caValidFor }),
      ...(fields.der === undefined ? {} : { certificate }),
    },
  };
}

export function policy(
  trust: Partial<HostPolicy['trust']> = {},
  cleartext: HostPolicy['fallback']['cleartext'] = 'warn',
): HostPolicy {
  return {
    mode: 'explicit',
    trust: { unknown: 'ask', caValid: 'accept', replicate: 'accept', promptTimeoutMs: 60_000, ...trust },
    fallback: { cleartext },
    data: { protection: 'private', allowForeignAddress: false },
    tls: { minVersion: 'TLSv1.2', mechanisms: ['TLS'] },
    name: undefined,
  };
}
