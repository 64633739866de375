// The field of the benchmark of the redirect: two servers, one client host for each contender, and what runs on it.
import path from 'node:path';
import { openLab, type Lab } from '../../lab/harness/lab.js';
import type { LabServer, ServerKind } from '../../lab/harness/server.js';
import { vsftpdPlain, vsftpdTls } from '../../lab/servers/vsftpd.js';
import { stopAll, type Contender } from '../ftp/contender.js';
import { forBench, layGround, openMemory, startFilled, type Ground } from '../ftp/ground.js';
import type { FtpSizes } from '../ftp/sizes.js';
import type { OtherBuild } from '../section.js';
import { native, plain } from './direct.js';
import { startFtpseal } from './ftpseal.js';
import { startModProxy } from './mod-proxy.js';
import { relayedServer, startStunnel } from './stunnel.js';

export const redirectNames = ['ftpseal', 'other', 'mod_proxy', 'stunnel', 'native', 'plain'] as const;
export type RedirectName = (typeof redirectNames)[number];

/** Everything that runs. */
export interface Field {
  readonly contenders: readonly Contender[];
  readonly ground: Ground;
  /** A host without any rule, and the server host. */
  readonly bareHost: string;
  readonly serverHost: string;
  close(): Promise<void>;
}

/** Opens the lab, starts the servers and the named contenders; `against` is the build of `other`. */
export async function openField(
  names: readonly RedirectName[],
  sizes: FtpSizes,
  against: OtherBuild | undefined,
): Promise<Field> {
  const lab = await openLab({ morePcs: 4 });
  const memory = openMemory(lab, sizes, 3);
  const servers: LabServer[] = [];
  const contenders: Contender[] = [];
  const close = async (): Promise<void> => {
    await stopAll(contenders);
    for (const server of servers) await server.stop();
    await lab.close();
    memory.remove();
  };
  try {
    const start = async (kind: ServerKind): Promise<LabServer> => {
      const server = await startFilled(lab, forBench(kind), memory, sizes);
      servers.push(server);
      return server;
    };
    const secured = await start(vsftpdTls);
    const clear = await start(vsftpdPlain);
    const relayed = names.includes('stunnel') ? await start(relayedServer) : undefined;
    for (const name of names)
      contenders.push(await startContender(name, lab, { secured, clear, relayed, against }));
    const bareHost = hostOf(lab, 'native').namespace;
    return { contenders, ground: layGround(lab, secured), bareHost, serverHost: lab.network.srv, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Each proxy has a host of its own, so that no contender pays for another one's rules; those without rules share one. */
function hostOf(lab: Lab, name: RedirectName): { readonly namespace: string; readonly address: string } {
  const index = { ftpseal: 0, mod_proxy: 1, stunnel: 2, native: 2, plain: 2, other: 3 }[name];
  const namespace = lab.network.morePcs[index];
  if (namespace === undefined) throw new Error(`no host for ${name}`);
  return { namespace, address: `10.${23 + index}.0.2` };
}

interface Around {
  readonly secured: LabServer;
  readonly clear: LabServer;
  /** stunnel's own. */
  readonly relayed: LabServer | undefined;
  readonly against: OtherBuild | undefined;
}

function startContender(name: RedirectName, lab: Lab, what: Around): Promise<Contender> {
  const host = hostOf(lab, name);
  switch (name) {
    case 'ftpseal':
      return startFtpseal(lab, { name, namespace: host.namespace, build: undefined }, what.secured);
    case 'other':
      return startFtpseal(
        lab,
        { name: what.against?.name ?? name, namespace: host.namespace, build: what.against },
        what.secured,
      );
    case 'mod_proxy':
      return startModProxy(host, path.join(lab.folder, name), what.secured);
    case 'stunnel':
      return startStunnel(lab, host.namespace, what.relayed ?? what.secured);
    case 'native':
      return Promise.resolve(native(host.namespace, what.secured));
    case 'plain':
      return Promise.resolve(plain(host.namespace, what.clear));
  }
}
