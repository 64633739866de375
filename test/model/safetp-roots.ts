// Where the walks begin with X-SafeTP1: at each step of its negotiation, and behind it with protected lines.
import type { ChannelId, Event } from '../../daemon/ftp/events.js';
import { DEFAULT_CONTEXT } from '../transcripts/scenario.js';
import { endpoint } from '../transcripts/notation.js';
import { OPENED, SAFETP_NAME, SAFETP_WORDS } from './stand-in-safetp.js';
import { clientSays, serverSays } from './vocabulary.js';
import type { Root } from './world.js';

const server = (line: string): Event => serverSays(`${line}\r\n`);
const client = (line: string): Event => clientSays(`${line}\r\n`);
const sealed = (line: string): Event => server(`${OPENED}${line}`);
const channel = 1 as ChannelId;

const STEPS: readonly (readonly [string, readonly Event[]])[] = [
  ['greeted', [{ kind: 'serverConnected' }, server('220 hi')]],
  ['negotiating', [client('USER bob')]],
  ['judging', [server(SAFETP_WORDS.key)]],
  ['proving', [{ kind: 'decided', decision: { kind: 'allow' } }]],
  ['exchanged', [server(SAFETP_WORDS.exchange)]],
  ['agreed', [server(SAFETP_WORDS.agreed)]],
  ['proven', [sealed(SAFETP_WORDS.digest)]],
  [
    'secured',
    [sealed('200 ok'), sealed('200 ok'), sealed('331 password'), client('PASS secret'), sealed('230 in')],
  ],
  [
    'passive',
    [
      client('PASV'),
      { kind: 'clientListening', channel, endpoint: endpoint('192.0.2.1:22000') },
      sealed('227 (192,0,2,1,15,160)'),
    ],
  ],
];
const ENDS: readonly (readonly [string, readonly Event[]])[] = [
  ['upload', [client('STOR f'), { kind: 'clientConnected', channel }, sealed('150 go')]],
  ['download', [client('RETR f'), sealed('150 go')]],
];

/** With X-SafeTP1 alone from every step on, and behind TLS from the beginning. */
export function safetpRoots(): readonly Root[] {
  const { policy } = DEFAULT_CONTEXT;
  const only = {
    ...DEFAULT_CONTEXT,
    policy: { ...policy, tls: { ...policy.tls, mechanisms: [SAFETP_NAME] } },
  };
  const both = {
    ...DEFAULT_CONTEXT,
    policy: { ...policy, tls: { ...policy.tls, mechanisms: ['TLS', SAFETP_NAME] } },
  };
  const upTo = (count: number): readonly Event[] => STEPS.slice(0, count).flatMap(([, events]) => events);
  const root = (name: string, events: readonly Event[]): Root => ({
    name: `X-SafeTP1, ${name}`,
    context: only,
    events,
  });
  return [
    { name: 'TLS, or X-SafeTP1', context: both, events: [] },
    root('the beginning', []),
    ...STEPS.map(([name], at) => root(name, upTo(at + 1))),
    ...ENDS.map(([name, events]) => root(name, [...upTo(STEPS.length), ...events])),
  ];
}
