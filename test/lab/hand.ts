// The lab for hand work: every server, a running daemon, and a shell on the client's host. `npm run lab` runs this.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { clientUid, login } from './harness/account.js';
import { acceptNew, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import type { LabServer } from './harness/server.js';
import { everyServer } from './servers/all.js';

const lab = await openLab();
const daemon = await startDaemon(lab, 'hand', acceptNew);
const servers: LabServer[] = [];
for (const kind of everyServer) servers.push(await lab.server(kind));
console.log(describeLab(lab, daemon, servers));
process.exitCode = await shell(lab, daemon);
await daemon.stop();
await lab.close();

function describeLab(opened: Lab, running: Daemon, list: readonly LabServer[]): string {
  const rows = list.map(
    ({ kind, address }) =>
      `  ${kind.name.padEnd(16)} ${address.ipv4.padEnd(12)} ${address.ipv6.padEnd(10)} ${kind.setup}`,
  );
  return [
    'The lab is open. Servers:',
    ...rows,
    `Login: ${login.user}, password ${login.password}`,
    `Hosts: ${opened.network.pc} (this shell) and ${opened.network.srv}; files in ${opened.folder}`,
    `The daemon keeps its files in ${running.folder}; the command \`ftpseal\` talks to it.`,
    `As an ordinary user: setpriv --reuid=${clientUid} --regid=${clientUid} --clear-groups lftp …`,
    `Eavesdrop: nsenter --net=/run/netns/${opened.network.srv} tcpdump -A -n tcp`,
    'Leave the shell to close the lab.',
  ].join('\n');
}

/** Runs a shell in this terminal on the client's host until it ends. */
async function shell(opened: Lab, running: Daemon): Promise<number> {
  const bin = path.join(opened.folder, 'bin');
  mkdirSync(bin);
  const main = path.join(running.program, 'dist/daemon/main.js');
  const command = `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@" --runtime-dir '${running.folder}/run'\n`;
  writeFileSync(path.join(bin, 'ftpseal'), command);
  chmodSync(path.join(bin, 'ftpseal'), 0o755);
  const argv = [`--net=/run/netns/${opened.network.pc}`, '--', 'bash', '--norc'];
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}`, PS1: 'fs-pc# ' };
  const child = spawn('nsenter', argv, { stdio: 'inherit', cwd: opened.folder, env });
  return new Promise((resolve) => {
    child.once('error', () => {
      resolve(1);
    });
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}
