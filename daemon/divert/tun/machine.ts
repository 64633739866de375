// Brings the texts of tun-rules.ts to the machine: the program ip, two settings of the device. What is there already or gone
// already is no error where it doesn't matter.
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { Fault } from '../../../shared/fault.js';
import { SYSTEM_PATH } from '../../sys/system-path.js';
import { nftCommand } from '../linux/nft-command.js';
import { TUN_MTU } from './tun-source.js';
import { formatTunRemoval, formatTunRoutes, formatTunRoutesRemoval } from './tun-rules.js';

/** Sets the device up and sends what is marked there. Rejects with a Fault of code `redirect` or `missing-tool`. */
export async function connectDevice(device: string): Promise<void> {
  await requireLooseFilter();
  await setting(`ipv4/conf/${device}/rp_filter`, '0');
  // No address of its own: the kernel would talk to neighbours that are not there.
  await setting(`ipv6/conf/${device}/addr_gen_mode`, '1').catch(() => undefined);
  await ip([], `link set ${device} mtu ${TUN_MTU} up\n`);
  await ip(['-4'], formatTunRoutes(device));
  if (await hasIpv6()) await ip(['-6'], formatTunRoutes(device));
}

/** Removes everything, whether it is there or not; the device itself goes with its descriptor. */
export async function disconnectDevice(): Promise<void> {
  await nftCommand().run(formatTunRemoval());
  for (const family of ['-4', '-6']) {
    await ip([family, '-force'], formatTunRoutesRemoval()).catch(ignoreRefusal);
  }
}

// The answer of `ip` to a rule that is not there; where `ip` itself is missing, no such rule was ever made.
function ignoreRefusal(error: unknown): void {
  if (error instanceof Fault && (error.code === 'redirect' || error.code === 'missing-tool')) return;
  throw error;
}

/** The kernel takes the stricter of two settings, and a reflected packet's sender lives behind another device. */
async function requireLooseFilter(): Promise<void> {
  const value = await readFile('/proc/sys/net/ipv4/conf/all/rp_filter', 'utf8');
  if (value.trim() !== '1') return;
  throw new Fault(
    'redirect',
    'net.ipv4.conf.all.rp_filter is 1, so the kernel would drop reflected packets: set it to 2, or divert.layer to "nftables".',
  );
}

async function hasIpv6(): Promise<boolean> {
  const value = await readFile('/proc/sys/net/ipv6/conf/all/disable_ipv6', 'utf8').catch(() => '1');
  return value.trim() === '0';
}

function setting(name: string, value: string): Promise<void> {
  return writeFile(`/proc/sys/net/${name}`, value);
}

function ip(options: readonly string[], batch: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('ip', [...options, '-batch', '-'], {
      env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
      cwd: '/',
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(0, 4096);
    });
    child.once('error', (error) => {
      reject(new Fault('missing-tool', `The program ip can’t be started: ${error.message}`, error));
    });
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Fault('redirect', `The route to the packet engine was refused: ${errors.trim()}`));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(batch);
  });
}
