// The benchmark of the simple tunnel: the same conversation through one tunnel after the other.
import { chmodSync, copyFileSync } from 'node:fs';
import path from 'node:path';
import { serverUid } from '../../lab/harness/account.js';
import { openLab, type Lab } from '../../lab/harness/lab.js';
import { repository } from '../../lab/harness/server.js';
import type { Proxy } from '../ftp/contender.js';
import { isListening } from '../ftp/listening.js';
import { startProxy } from '../ftp/restartable.js';
import { runRounds, warmUp } from '../rounds.js';
import type { Section } from '../section.js';
import {
  startTunnel,
  tunnelNames,
  type TunnelContender,
  type TunnelName,
  type TunnelSite,
} from './contenders.js';
import { tunnelSheet } from './sheet.js';
import { fullSizes, quickSizes } from './sizes.js';
import { tunnelWork, type TunnelContext } from './work.js';

export const tunnelSection: Section = {
  sheet: tunnelSheet,
  work: tunnelWork.map(({ metric }) => metric.name),
  measure: async ({ quick, rounds, progress, wantsContender, wantsWork }) => {
    const contenders = tunnelNames.filter(wantsContender);
    progress.say(`opening the lab with ${contenders.join(', ')}`);
    const sizes = quick ? quickSizes : fullSizes;
    const field = await openField(contenders);
    try {
      const { entrants } = field;
      const context: TunnelContext = { namespace: field.lab.network.pc, driver: field.driver, sizes };
      const work = tunnelWork.filter(({ metric }) => wantsWork(metric.name));
      if (!quick) await warmUp({ entrants, work, context: { ...context, sizes: quickSizes }, progress });
      const samples = await runRounds({ entrants, work, context, rounds, progress });
      const metrics = tunnelWork.map(({ metric }) => metric);
      return { sizes: { ...sizes }, contenders, leftOut: {}, metrics, samples };
    } finally {
      await field.close();
    }
  },
};

interface Field {
  readonly lab: Lab;
  readonly driver: string;
  readonly entrants: readonly TunnelContender[];
  close(): Promise<void>;
}

const servicePort = 7000;

async function openField(names: readonly TunnelName[]): Promise<Field> {
  const lab = await openLab();
  const started: { stop(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const one of started) await one.stop();
    await lab.close();
  };
  try {
    const driver = path.join(lab.folder, 'tunnel-driver.py');
    copyFileSync(path.join(repository, 'test/bench/tunnel/driver.py'), driver);
    chmodSync(driver, 0o644);
    const service = { address: lab.network.nextAddress().ipv4, port: servicePort };
    const site: TunnelSite = { lab, driver, service };
    started.push(await startService(site));
    const entrants: TunnelContender[] = [];
    for (const name of names) {
      const tunnel = await startTunnel(name, site);
      started.push(tunnel);
      entrants.push(tunnel);
    }
    return { lab, driver, entrants, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startService({ lab, driver, service }: TunnelSite): Promise<Proxy> {
  const at = ['--address', service.address, '--port', String(service.port)];
  return startProxy({
    name: 'the service behind the tunnels',
    place: { namespace: lab.network.srv, uid: serverUid },
    argv: ['/usr/bin/python3', '-B', driver, 'service', ...at],
    serves: () => isListening(lab.network.srv, service.port, service.address),
    log: () => '',
  });
}
