// One opened lab: the hosts, a scratch folder that every user can enter, certificates and servers.
import { chmodSync, mkdtempSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { makeCertificate, type Certificate } from './certificates.js';
import { openNetwork, type Network, type ServerAddress } from './network.js';
import { startServer, type LabServer, type ServerKind } from './server.js';

/** An opened lab. `close` ends all of it; a lab whose test died is cleaned up by the next one. */
export interface Lab {
  readonly network: Network;
  /** Scratch space, readable for all users. */
  readonly folder: string;
  certificate(name: string): Promise<Certificate>;
  /** Starts a server on the next free address, or on the one given. */
  server(
    kind: ServerKind,
    options?: { readonly address?: ServerAddress; readonly certificate?: Certificate },
  ): Promise<LabServer>;
  close(): Promise<void>;
}

const prefix = 'ftpseal-lab-';

/** Opens a lab; `third` puts a routing host between client and servers, `morePcs` adds client hosts. */
export async function openLab(
  options: { readonly third?: boolean; readonly morePcs?: number } = {},
): Promise<Lab> {
  removeLeftovers();
  const network = await openNetwork(options);
  const folder = mkdtempSync(path.join('/var/tmp', `${prefix}${process.pid}-`));
  chmodSync(folder, 0o755);
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  let count = 0;
  const certificate = (name: string): Promise<Certificate> => {
    const certificates = path.join(folder, 'certificates');
    mkdirSync(certificates, { recursive: true });
    return makeCertificate(certificates, name);
  };
  const servers: LabServer[] = [];
  return {
    network,
    folder,
    certificate,
    server: async (kind, { address, certificate: given } = {}) => {
      count += 1;
      const home = path.join(folder, `server-${count}-${kind.name}`);
      const where = { namespace: network.srv, address: address ?? network.nextAddress(), folder: home };
      const server = await startServer(kind, where, given ?? (await certificate(`${kind.name}-${count}`)));
      servers.push(server);
      return server;
    },
    close: async () => {
      for (const server of servers) await server.stop();
      await network.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Scratch folders of test runs that were killed. */
function removeLeftovers(): void {
  const alive = new Set(readdirSync('/proc'));
  for (const name of readdirSync('/var/tmp')) {
    const pid = /^ftpseal-lab-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !alive.has(pid))
      rmSync(path.join('/var/tmp', name), { recursive: true, force: true });
  }
}
