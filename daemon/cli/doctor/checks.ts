// What `ftpseal doctor` looks at on this machine, one line each.
import { accessSync, constants, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parsePortRange, type PortRange } from '../../../shared/endpoint.js';
import { Fault } from '../../../shared/fault.js';
import type { Status } from '../../../shared/ipc-messages.js';
import { loadConfig } from '../../config-load.js';
import { howToStart } from '../../sys/platform-words.js';
import { isMachine, ownUser } from '../../sys/own-user.js';
import { defaultConfigPath } from '../../sys/usual-places.js';
import { KEYS_FOLDER } from '../../trust/keys-folder-name.js';
import { readKeysFolder } from '../../trust/keys-folder.js';
import type { Config } from '../../config.js';
import { hasNetAdmin } from '../../divert/linux/nft-runner.js';
import { SYSTEM_PATH } from '../../sys/system-path.js';
import { connectDaemon, type DirOptions } from '../paths.js';
import { userId } from '../user-names.js';

/** `todo`: what to do about it, for everything that is not ok. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly text: string;
  readonly todo?: string;
}

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const isNew = major > 20 || (major === 20 && minor >= 12);
  return isNew
    ? ok('Node.js', version)
    : fail('Node.js', `${version} is too old`, 'install Node.js 20.12 or newer');
}

/** A program that the daemon runs; it looks in the system's folders only, so that no one can slip in another. */
export function checkTool(name: string, packageName: string): Finding {
  const found = SYSTEM_PATH.split(':')
    .map((folder) => join(folder, name))
    .find(isExecutable);
  return found === undefined
    ? fail(name, 'not installed', `install the package ${packageName}`)
    : ok(name, found);
}

export function checkRights(): Finding {
  if (hasNetAdmin()) return ok('rights', 'this user may change the redirect');
  return warn(
    'rights',
    'this user may not redirect connections',
    'start the daemon with sudo, or use: ftpseal proxy',
  );
}

export function checkProxyUser(): Finding {
  const uid = userId('ftpseal');
  return uid === undefined
    ? ok('proxy user', 'no user ftpseal: the proxy runs as uid 21021')
    : uid === 0
      ? fail('proxy user', 'the user ftpseal is root', 'give it another uid')
      : ok('proxy user', `ftpseal (uid ${uid})`);
}

export async function checkConfig(
  path: string | undefined,
): Promise<{ readonly finding: Finding; readonly config: Config | undefined }> {
  try {
    const config = await loadConfig(path);
    return { finding: ok('configuration', path ?? defaultConfigPath), config };
  } catch (error) {
    const todo = 'correct the file; ftpseal check tells when it is right';
    return { finding: fail('configuration', Fault.from(error).userMessage, todo), config: undefined };
  }
}

/** The system must not hand out to programs the ports on which ftpseal relies. */
export function checkRanges(config: Config, ephemeral: PortRange | undefined): Finding {
  if (ephemeral === undefined) return warn('ports', 'the system’s ephemeral range is unknown', 'see ip(7)');
  const { dataPorts, sourcePorts, activePorts } = config.divert;
  const ranges: readonly (readonly [string, PortRange])[] = [
    ['data_ports', dataPorts],
    ['source_ports', sourcePorts],
    ['active_ports', activePorts],
  ];
  const clash = ranges.find(([, range]) => range.first <= ephemeral.last && ephemeral.first <= range.last);
  const text = `${ephemeral.first}-${ephemeral.last}`;
  return clash === undefined
    ? ok('ports', `apart from the ephemeral range ${text}`)
    : warn(
        'ports',
        `divert.${clash[0]} overlaps the ephemeral range ${text}`,
        `move divert.${clash[0]}, or set net.ipv4.ip_local_port_range`,
      );
}

/** A gateway that forwards nothing secures nobody; `notRouted` names the address families. Nothing to say where it is none. */
export function checkForwarding({ divert }: Config, notRouted: readonly string[]): readonly Finding[] {
  if (!divert.forwarded) return [];
  if (notRouted.length === 0) return [ok('gateway', 'this machine forwards IPv4 and IPv6')];
  const todo = 'set net.ipv4.ip_forward, net.ipv6.conf.all.forwarding, if devices are to be secured';
  return [warn('gateway', `this machine does not forward ${notRouted.join(' and ')}`, todo)];
}

export function ephemeralRange(): PortRange | undefined {
  // Unless an administrator has changed it.
  if (process.platform === 'win32') return parsePortRange('49152-65535');
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    return parsePortRange(text.trim().replace(/\s+/, '-'));
  } catch {
    return undefined;
  }
}

/** The administrator's keys, as this user can read them. */
export async function checkKeysFolder(path: string | undefined): Promise<readonly Finding[]> {
  const folder = join(dirname(resolve(path ?? defaultConfigPath)), KEYS_FOLDER);
  const reading = await readKeysFolder(folder, isMachine() ? [] : [ownUser() ?? 0]);
  if (reading.kind === 'missing') return [];
  const todo = 'correct or remove it; a service that runs sees it at once';
  if (reading.kind === 'refused') return [fail('keys.d', reading.sentence, todo)];
  const bad = reading.files.flatMap((file) =>
    file.kind === 'bad' ? [fail('keys.d', file.sentence, todo)] : [],
  );
  const keys = reading.files.flatMap((file) => (file.kind === 'good' ? file.records.pins : [])).length;
  return [...bad, ok('keys.d', `${keys} keys by the administrator, in ${folder}`)];
}

export async function checkDaemon(options: DirOptions): Promise<readonly Finding[]> {
  try {
    const client = await connectDaemon(options);
    const status = await client.request('status', {});
    client.close();
    return daemonFindings(status);
  } catch (error) {
    const fault = Fault.from(error);
    const text = fault.code === 'no-daemon' ? 'does not run' : fault.userMessage;
    return [fail('daemon', text, howToStart)];
  }
}

export function daemonFindings(status: Status): readonly Finding[] {
  const alive = status.workers.filter((worker) => worker.alive).length;
  const workers = `${alive} of ${status.workers.length} workers run`;
  return [
    ok('daemon', `version ${status.version}, process ${status.pid}`),
    alive === status.workers.length
      ? ok('workers', workers)
      : fail('workers', workers, 'wait a moment; if it stays, see ftpseal log'),
    redirectFinding(status),
    ...status.warnings.map((text) => warn('daemon', text, 'see ftpseal sessions and ftpseal log')),
  ];
}

function redirectFinding({ redirect }: Status): Finding {
  switch (redirect.kind) {
    case 'active':
      return ok('redirect', `connections to port ${redirect.ports.join(', ')} are secured`);
    case 'starting':
      return warn('redirect', 'is being set up', 'ask again in a moment');
    case 'failed':
      return fail('redirect', redirect.sentence, 'see ftpseal log; ftpseal cleanup removes all rules');
    case 'none':
      return warn(
        'redirect',
        'this is the explicit proxy: only programs that connect to it are secured',
        howToStart,
      );
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function ok(check: string, text: string): Finding {
  return { check, state: 'ok', text };
}

function warn(check: string, text: string, todo: string): Finding {
  return { check, state: 'warn', text, todo };
}

function fail(check: string, text: string, todo: string): Finding {
  return { check, state: 'fail', text, todo };
}
