// The tunnels that are compared. Each connects a client's socket with the service on the server host, over TLS 1.3.
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { clientUid, serverUid } from '../../lab/harness/account.js';
import { stageProgram } from '../../lab/harness/ftpseal.js';
import type { Lab } from '../../lab/harness/lab.js';
import type { Place } from '../../lab/harness/command.js';
import type { Proxy } from '../ftp/contender.js';
import { isListening } from '../ftp/listening.js';
import { startProxy } from '../ftp/restartable.js';
import type { Entrant } from '../work.js';

export const tunnelNames = ['ftpseal', 'stunnel', 'socat', 'plain'] as const;
export type TunnelName = (typeof tunnelNames)[number];

/** The client's way in: a program with a socket as its standard input and output, or a port. */
export type Entrance =
  | { readonly kind: 'program'; readonly argv: readonly string[] }
  | { readonly kind: 'port'; readonly address: string; readonly port: number };

/** A tunnel that is ready for clients. */
export interface TunnelContender extends Entrant {
  readonly entrance: Entrance;
  /** The programs of both ends that run all the time, as roots of process trees. */
  roots(): readonly number[];
  stop(): Promise<void>;
}

/** What a tunnel is built between. */
export interface TunnelSite {
  readonly lab: Lab;
  /** The script, readable for all. */
  readonly driver: string;
  /** Where the service is, and the address that tunnels listen on. */
  readonly service: { readonly address: string; readonly port: number };
}

const ports: Readonly<Record<TunnelName, number>> = { ftpseal: 7001, stunnel: 7002, socat: 7003, plain: 0 };
const stunnelEntrance = 7010;

export function startTunnel(name: TunnelName, site: TunnelSite): Promise<TunnelContender> {
  switch (name) {
    case 'ftpseal':
      return startFtpseal(site);
    case 'stunnel':
      return startStunnel(site);
    case 'socat':
      return startSocat(site);
    case 'plain':
      return Promise.resolve(joined('plain', { kind: 'port', ...site.service }, []));
  }
}

function joined(name: TunnelName, entrance: Entrance, programs: readonly Proxy[]): TunnelContender {
  return {
    name,
    entrance,
    roots: () => programs.map((program) => program.pid()),
    log: () => programs.map((program) => program.log()).join('\n'),
    stop: async () => {
      for (const program of programs) await program.stop();
    },
  };
}

function listener(
  name: TunnelName,
  { service }: TunnelSite,
  place: Place & { readonly namespace: string },
  argv: readonly string[],
): Promise<Proxy> {
  const serves = (): Promise<boolean> => isListening(place.namespace, ports[name], service.address);
  return startProxy({ name, place, argv, serves, log: () => '' });
}

async function certificateOf(lab: Lab, name: string) {
  const certificate = await lab.certificate(`tunnel-${name}`);
  chownSync(certificate.both, serverUid, serverUid);
  return certificate;
}

/** The server's end is started by inetd for each connection, as its documentation says. */
async function startFtpseal(site: TunnelSite): Promise<TunnelContender> {
  const { lab, service, driver } = site;
  const program = [process.execPath, path.join(await stageProgram(lab), 'dist/daemon/main.js'), 'tunnel'];
  const { both, fingerprint } = await certificateOf(lab, 'ftpseal');
  const end = [...program, '-i', '-p', `${service.address}:${service.port}`, '-C', both, '-M', 'tls1.3'];
  const inetd = ['/usr/bin/python3', '-B', driver, 'inetd'];
  const at = ['--address', service.address, '--port', String(ports.ftpseal)];
  const place = { namespace: lab.network.srv, uid: serverUid };
  const running = await listener('ftpseal', site, place, [...inetd, ...at, '--', ...end]);
  const to = ['-p', `${service.address}:${ports.ftpseal}`, '--fingerprint', fingerprint];
  return joined('ftpseal', { kind: 'program', argv: [...program, ...to] }, [running]);
}

async function startStunnel(site: TunnelSite): Promise<TunnelContender> {
  const { lab, service } = site;
  const { both } = await certificateOf(lab, 'stunnel');
  const to = `${service.address}:${ports.stunnel}`;
  const server = [`accept = ${to}`, `connect = ${service.address}:${service.port}`, `cert = ${both}`];
  const client = ['client = yes', `accept = 127.0.0.1:${stunnelEntrance}`, `connect = ${to}`];
  const write = (role: string, lines: readonly string[]): string => {
    const folder = path.join(lab.folder, `stunnel-${role}`);
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, 'stunnel.conf');
    const head = ['foreground = yes', 'pid =', 'debug = warning', '[tunnel]', 'sslVersionMin = TLSv1.3'];
    writeFileSync(file, `${[...head, ...lines].join('\n')}\n`);
    return file;
  };
  const near = { namespace: lab.network.pc, uid: clientUid };
  const far = { namespace: lab.network.srv, uid: serverUid };
  const servant = await listener('stunnel', site, far, ['stunnel4', write('server', server)]);
  const own = await startProxy({
    name: 'stunnel',
    place: near,
    argv: ['stunnel4', write('client', client)],
    serves: () => isListening(near.namespace, stunnelEntrance),
    log: () => '',
  });
  const entrance = { kind: 'port', address: '127.0.0.1', port: stunnelEntrance } as const;
  return joined('stunnel', entrance, [servant, own]);
}

/** Its own block size of 8 KiB would be half a TLS record. */
const socat = ['socat', '-b', '65536', '-t', '10'];

async function startSocat(site: TunnelSite): Promise<TunnelContender> {
  const { lab, service } = site;
  const { both } = await certificateOf(lab, 'socat');
  const version = 'openssl-min-proto-version=TLS1.3';
  const listen = `OPENSSL-LISTEN:${ports.socat},bind=${service.address},reuseaddr,fork,cert=${both},verify=0,nodelay,${version}`;
  const place = { namespace: lab.network.srv, uid: serverUid };
  const to = `TCP:${service.address}:${service.port},nodelay`;
  const running = await listener('socat', site, place, [...socat, listen, to]);
  const dial = `OPENSSL:${service.address}:${ports.socat},verify=0,nodelay,${version}`;
  return joined('socat', { kind: 'program', argv: ['/usr/bin/socat', ...socat.slice(1), '-', dial] }, [
    running,
  ]);
}
