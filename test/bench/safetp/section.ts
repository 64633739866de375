// The benchmark of X-SafeTP1: one client and one server, protected one way after the other.
import { chownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { serverUid } from '../../lab/harness/account.js';
import { stageProgram } from '../../lab/harness/ftpseal.js';
import { openLab } from '../../lab/harness/lab.js';
import type { LabServer } from '../../lab/harness/server.js';
import { vsftpdPlain } from '../../lab/servers/vsftpd.js';
import type { Proxy } from '../ftp/contender.js';
import { bigName, forBench, openMemory, startFilled } from '../ftp/ground.js';
import { quickSizes as ftpSizes } from '../ftp/sizes.js';
import { runRounds, warmUp } from '../rounds.js';
import type { Section } from '../section.js';
import { startServeProxy } from '../serve/serve-proxy.js';
import { contenderOf, safetpNames, type SafetpContender, type SafetpName } from './contenders.js';
import { safetpSheet } from './sheet.js';
import {
  fullSizes,
  mainWork,
  pointName,
  pointWork,
  quickSizes,
  type SafetpContext,
  type SafetpSizes,
} from './work.js';

/** The two ends of a curve. */
const quickPoints = new Set([pointName('download', 4), pointName('download', 128)]);

const everyWork = [...mainWork, ...pointWork];

export const safetpSection: Section = {
  sheet: safetpSheet,
  work: everyWork.map(({ metric }) => metric.name),
  measure: async ({ quick, rounds, progress, wantsContender, wantsWork }) => {
    const contenders = safetpNames.filter(wantsContender);
    progress.say(`opening the lab with ${contenders.join(', ')}`);
    const sizes = quick ? quickSizes : fullSizes;
    const field = await openField(contenders, sizes);
    try {
      const { entrants, context } = field;
      const wanted = everyWork.filter(({ metric }) => wantsWork(metric.name));
      const work = quick
        ? wanted.filter((one) => mainWork.includes(one) || quickPoints.has(one.metric.name))
        : wanted;
      const warm = { ...context, sizes: { ...sizes, logins: 5, noops: 200 } };
      const once = mainWork.filter((one) => work.includes(one));
      if (!quick) await warmUp({ entrants, work: once, context: warm, progress });
      const samples = await runRounds({ entrants, work, context, rounds, progress });
      const metrics = mainWork.map(({ metric }) => metric);
      return { sizes: { ...sizes }, contenders, leftOut: {}, metrics, samples };
    } finally {
      await field.close();
    }
  },
};

interface Field {
  readonly entrants: readonly SafetpContender[];
  readonly context: SafetpContext;
  close(): Promise<void>;
}

async function openField(names: readonly SafetpName[], sizes: SafetpSizes): Promise<Field> {
  const lab = await openLab();
  const bulk = { ...ftpSizes, bulkBytes: sizes.bulkBytes };
  const memory = openMemory(lab, bulk, 1);
  let server: LabServer | undefined;
  let proxy: Proxy | undefined;
  const close = async (): Promise<void> => {
    await proxy?.stop();
    await server?.stop();
    await lab.close();
    memory.remove();
  };
  try {
    const { ipv6 } = lab.network.nextAddress();
    const behind = { ipv4: '127.0.1.1', ipv6 };
    server = await startFilled(lab, forBench(vsftpdPlain), memory, bulk, behind);
    const folder = path.join(lab.folder, 'safetp');
    mkdirSync(folder);
    chownSync(folder, serverUid, serverUid);
    const address = lab.network.nextAddress().ipv4;
    const key = path.join(folder, 'safetp.pem');
    const options = ['--safetp-key', key, '--require', 'none'];
    proxy = await startServeProxy(lab, address, behind.ipv4, options);
    const running = proxy;
    const { pids, home } = server;
    const context: SafetpContext = {
      namespace: lab.network.pc,
      program: await stageProgram(lab),
      address,
      bigFile: path.join(home, bigName),
      sizes,
    };
    return { entrants: names.map((name) => contenderOf(name, running, pids)), context, close };
  } catch (error) {
    await close();
    throw error;
  }
}
