// The field of the figures of scaling: one server, a client host for each contender, and one for the daemons with many keys.
import path from 'node:path';
import { acceptNew } from '../../lab/harness/ftpseal.js';
import { openLab, type Lab } from '../../lab/harness/lab.js';
import type { LabServer } from '../../lab/harness/server.js';
import { vsftpdTls } from '../../lab/servers/vsftpd.js';
import { stopAll, type Contender } from '../ftp/contender.js';
import { forBench, layGround, openMemory, startFilled, type Ground } from '../ftp/ground.js';
import { quickSizes as ftpSizes } from '../ftp/sizes.js';
import { native } from '../redirect/direct.js';
import { startFtpseal } from '../redirect/ftpseal.js';
import { startModProxy } from '../redirect/mod-proxy.js';
import type { KeysSite } from './keys.js';
import type { ScalingSizes } from './sizes.js';

export const scalingNames = ['ftpseal-1', 'ftpseal-2', 'ftpseal-4', 'mod_proxy', 'native'] as const;
export type ScalingName = (typeof scalingNames)[number];

/** Whose memory and whose logins are measured: as many workers as there are cores. */
export const subject = 'ftpseal-2';

export interface Field {
  readonly contenders: readonly Contender[];
  readonly ground: Ground;
  readonly keys: KeysSite;
  close(): Promise<void>;
}

/** Needs root. */
export async function openField(names: readonly ScalingName[], sizes: ScalingSizes): Promise<Field> {
  const lab = await openLab({ morePcs: scalingNames.length });
  const files = { ...ftpSizes, bulkBytes: sizes.streamBytes };
  const memory = openMemory(lab, files, 1);
  let server: LabServer | undefined;
  const contenders: Contender[] = [];
  const close = async (): Promise<void> => {
    await stopAll(contenders);
    await server?.stop();
    await lab.close();
    memory.remove();
  };
  try {
    server = await startFilled(lab, forBench(vsftpdTls), memory, files);
    for (const name of names) contenders.push(await startContender(name, lab, server));
    const keys = { name: subject, log: () => '', lab, server };
    return { contenders, ground: layGround(lab, server), keys, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startContender(name: ScalingName, lab: Lab, server: LabServer): Promise<Contender> {
  const index = scalingNames.indexOf(name);
  const namespace = lab.network.morePcs[index];
  if (namespace === undefined) throw new Error(`no host for ${name}`);
  switch (name) {
    case 'mod_proxy':
      return startModProxy(
        { namespace, address: `10.${23 + index}.0.2` },
        path.join(lab.folder, name),
        server,
      );
    case 'native':
      return Promise.resolve(native(namespace, server));
    default: {
      const config = `${acceptNew}[divert]\nworkers = ${name.replace('ftpseal-', '')}\n`;
      return startFtpseal(lab, { name, namespace, build: undefined, config }, server);
    }
  }
}
