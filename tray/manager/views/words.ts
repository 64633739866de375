// Words that several pages share.
import { formatEndpoint, type Endpoint } from '../../../shared/endpoint.js';
import { parseFingerprint } from '../../../shared/fingerprint.js';
import type { AgentState } from '../../agent-state.js';
import { displayText } from '../display-text.js';
import { randomart } from '../randomart.js';
import type { Banner, KeyPicture } from '../wire.js';

/** A server as people know it: its name or address, the port where it is not 21. */
export function serverTitle({
  server,
  name,
}: {
  readonly server: Endpoint;
  readonly name?: string | undefined;
}): string {
  if (name === undefined) return server.port === 21 ? server.address : formatEndpoint(server);
  return server.port === 21 ? displayText(name, 120) : `${displayText(name, 120)}:${server.port}`;
}

/** `address, port 21`. */
export function addressText({ address, port }: Endpoint): string {
  return `${address}, port ${port}`;
}

/** A key to be compared by eye. A fingerprint in a wrong form is shown as it is, without a picture. */
export function keyPicture(text: string, title: string): KeyPicture {
  const fingerprint = parseFingerprint(text);
  if (fingerprint === undefined)
    return { fingerprint: displayText(text, 64), groups: [displayText(text, 64)], art: [] };
  return {
    fingerprint,
    groups: fingerprint.slice('SHA256:'.length).match(/.{1,4}/g) ?? [],
    art: randomart(fingerprint, displayText(title, 15)),
  };
}

/** `rsa 2048` as the picture's title has it. */
export function pictureTitle(keyType: string | undefined, mechanism: string): string {
  return displayText((keyType ?? mechanism).toUpperCase(), 15);
}

/** `20 November 2026`, in UTC: the same on every machine. */
export function dayText(at: number): string {
  return new Date(at).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
}

/** `1 session`, `3 sessions`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** What is wrong now, the worst first. */
export function bannersOf({ daemon, vault, status }: AgentState): readonly Banner[] {
  const gone: readonly Banner[] =
    daemon.kind === 'unreachable' ? [{ tone: 'bad', text: displayText(daemon.sentence, 400) }] : [];
  const keychain: readonly Banner[] =
    vault.kind === 'locked' || vault.kind === 'absent' || vault.kind === 'slow'
      ? [{ tone: 'bad', text: displayText(vault.sentence, 400) }]
      : [];
  const redirect: readonly Banner[] =
    status?.redirect.kind === 'failed'
      ? [{ tone: 'bad', text: displayText(status.redirect.sentence, 400) }]
      : [];
  const warnings = (status?.warnings ?? []).slice(0, 6).map((text): Banner => ({
    tone: 'warn',
    text: displayText(text, 400),
  }));
  return [...gone, ...keychain, ...redirect, ...warnings];
}
