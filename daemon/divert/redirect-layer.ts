// The redirect layer that the configuration names, each loaded when it is wanted. What a system can't do is said here, at the start.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parsePortRange, type PortRange } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { Config } from '../config.js';
import type { WorkerShare } from '../privops.js';
import { programData } from '../sys/usual-places.js';
import type { SupervisorLog } from '../supervisor/supervisor-log.js';
import type { Diverter } from './diverter.js';

/** Where the installation keeps WinDivert.dll and WinDivert64.sys, beside `dist`. */
export const windivertDll = new URL('../../../windivert/WinDivert.dll', import.meta.url);
/** Removes whatever any layer of this system may have left, also after a crash. Rejects with a Fault. */
export async function clearRedirect(): Promise<void> {
  if (process.platform === 'win32') {
    const { ClosedHold } = await import('./windows/closed-hold.js');
    const onRefused = (fault: Fault): never => {
      throw fault;
    };
    new ClosedHold({ note: holdNote(), onRefused }).release();
    const { removeDriver } = await import('./windows/driver-service.js');
    await removeDriver(path.dirname(fileURLToPath(windivertDll)));
    return;
  }
  if (process.platform === 'darwin') {
    const { PfDiverter } = await import('./macos/pf-diverter.js');
    await new PfDiverter().clear();
    return;
  }
  const { NftablesDiverter } = await import('./linux/nftables.js');
  const { TunDiverter } = await import('./tun/tun-diverter.js');
  await new NftablesDiverter().clear();
  await new TunDiverter().clear();
}

/** There as long as filters of Windows may refuse FTP (windows/closed-hold.ts). */
function holdNote(): string {
  return path.join(programData(), 'ftp-is-refused.txt');
}

/** What Windows gives to programs that ask for any port, since Vista. */
const WINDOWS_DYNAMIC = '49152-65535';

/** Rejects with a Fault of code `config` where the layer is another system's, or where its ports would let clients slip past it. */
export async function redirectLayer(
  divert: Config['divert'],
  shares: readonly WorkerShare[],
  log: SupervisorLog,
): Promise<Diverter> {
  requirePlatform(divert.layer);
  switch (divert.layer) {
    case 'nftables': {
      const { NftablesDiverter } = await import('./linux/nftables.js');
      return new NftablesDiverter();
    }
    case 'tun': {
      if (divert.onFailure === 'open') warnOf(log, 'tun', 'FTP is blocked when the supervisor dies');
      const { TunDiverter } = await import('./tun/tun-diverter.js');
      return new TunDiverter();
    }
    case 'pf': {
      if (divert.onFailure === 'open') warnOf(log, 'pf', 'FTP is refused when the supervisor dies');
      const { PfDiverter } = await import('./macos/pf-diverter.js');
      return new PfDiverter();
    }
    case 'windivert': {
      requireOwnSourcePorts(divert.sourcePorts);
      const { WinDivertDiverter } = await import('./windows/windivert-diverter.js');
      return new WinDivertDiverter({
        dll: fileURLToPath(windivertDll),
        ranges: {
          listen: shares.map((share) => share.listen),
          virtual: shares.map((share) => share.virtual),
          active: divert.activePorts,
          upstream: divert.sourcePorts,
        },
        hold: {
          note: holdNote(),
          onRefused: (fault) => {
            log(
              'warn',
              `on_failure = "closed" can’t be kept: FTP is open if the service dies. ${fault.userMessage}`,
              {},
            );
          },
        },
      });
    }
  }
}

const systems = {
  nftables: { platform: 'linux', name: 'Linux' },
  tun: { platform: 'linux', name: 'Linux' },
  windivert: { platform: 'win32', name: 'Windows' },
  pf: { platform: 'darwin', name: 'macOS' },
} as const satisfies Record<Config['divert']['layer'], unknown>;

function requirePlatform(layer: Config['divert']['layer']): void {
  const { platform, name: system } = systems[layer];
  if (platform === process.platform) return;
  throw new Fault('config', `divert.layer = "${layer}" is for ${system} only; leave it out.`);
}

function warnOf(log: SupervisorLog, layer: string, what: string): void {
  log('warn', `with divert.layer = "${layer}" ${what}, whatever on_failure says`, {});
}

/** WinDivert tells the proxy's connections by their source ports: a client that got one of them would not be secured. */
export function requireOwnSourcePorts(range: PortRange): void {
  const dynamic = parsePortRange(WINDOWS_DYNAMIC);
  if (dynamic === undefined || range.last < dynamic.first || range.first > dynamic.last) return;
  throw new Fault(
    'config',
    `divert.source_ports ${range.first}-${range.last} overlaps the ports that Windows gives to programs (${WINDOWS_DYNAMIC}), ` +
      'whose FTP would then not be secured: choose a range below.',
  );
}
