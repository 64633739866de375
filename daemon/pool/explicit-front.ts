// The explicit proxy: a client connects here on purpose and names the server in its USER line.
import { lookup } from 'node:dns/promises';
import type { Socket } from 'node:net';
import { parseIpAddress, parsePort, type Endpoint, type Port } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { EXPLICIT_GREETING, ExplicitOpening } from '../ftp/explicit.js';
import { ownReply } from '../ftp/sentences.js';
import { endWith } from '../relay/farewell.js';
import { LocalDataPorts } from '../relay/local-data-ports.js';
import { dialServer } from '../relay/upstream.js';
import { socketOwner } from '../sys/socket-owner.js';
import { peerOf } from './redirect-view.js';
import type { SessionPool } from './session-pool.js';

/** Milliseconds for a client to name its server; FTP servers give 60 to 300 s for a login. */
const OPENING_MS = 120_000;

interface Target {
  readonly host: string;
  readonly port: Port;
  readonly rest: Buffer;
}

export class ExplicitFront {
  readonly #pool: SessionPool;

  constructor(pool: SessionPool) {
    this.#pool = pool;
  }

  readonly accept = (client: Socket): void => {
    const opening = new ExplicitOpening();
    const timer = setTimeout(() => {
      endWith(client, ownReply(421, 'no server was named in time.'));
    }, OPENING_MS);
    const onData = (bytes: Buffer): void => {
      for (const step of opening.push(bytes)) {
        if (step.kind === 'reply') {
          client.write(step.text);
        } else if (step.kind === 'close') {
          endWith(client, step.text);
        } else {
          clearTimeout(timer);
          client.off('data', onData).off('end', onEnd).pause();
          void this.#connect(client, step);
        }
      }
    };
    const onEnd = (): void => {
      client.end();
    };
    client.on('error', () => client.destroy());
    client.once('close', () => {
      clearTimeout(timer);
    });
    client.on('data', onData).on('end', onEnd);
    client.write(EXPLICIT_GREETING);
    client.resume();
  };

  async #connect(client: Socket, target: Target): Promise<void> {
    const peer = peerOf(client);
    const local = localEndOf(client);
    if (peer === undefined || local === undefined) {
      client.destroy();
      return;
    }
    try {
      const { server, socket } = await dialByName(target);
      const uid = socketOwner(peer, local);
      const name = target.host.toLowerCase();
      const named = parseIpAddress(target.host) === undefined ? ({ name, nameFrom: 'client' } as const) : {};
      await this.#pool.start({
        client,
        connection: { server, client: peer, ...named, ...(uid === undefined ? {} : { uid }) },
        dataPorts: new LocalDataPorts(local.address),
        greeting: 'swallow',
        dataPath: 'proxied',
        early: target.rest,
        dialled: socket,
      });
    } catch (error) {
      endWith(client, ownReply(421, `${target.host} can't be reached (${Fault.from(error).userMessage}).`));
    }
  }
}

/** Tries every address of the name, as programs do. Rejects with the last failure. */
async function dialByName(target: Target): Promise<{ readonly server: Endpoint; readonly socket: Socket }> {
  const found = await lookup(target.host, { all: true }).catch((error: unknown) => {
    throw new Fault('network', 'the name is not known', error);
  });
  let failure = new Fault('network', 'the name has no address');
  for (const { address: text } of found) {
    const address = parseIpAddress(text);
    if (address === undefined) continue;
    const server = { address, port: target.port };
    try {
      return { server, socket: await dialServer(server, undefined) };
    } catch (error) {
      failure = Fault.from(error);
    }
  }
  throw failure;
}

function localEndOf(socket: Socket): Endpoint | undefined {
  const address = parseIpAddress(socket.localAddress);
  const port = parsePort(socket.localPort);
  return address === undefined || port === undefined ? undefined : { address, port };
}
