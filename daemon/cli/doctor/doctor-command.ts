// `ftpseal doctor`: what intercepts, what is missing, and can a connection to a server be secured.
import { parseIpAddress, parsePort, type Port } from '../../../shared/endpoint.js';
import { EXIT, Fault } from '../../../shared/fault.js';
import { resolveName } from '../../proxy/host-names.js';
import { notRouted } from '../../supervisor/forwarded-plan.js';
import { show, type JsonOption } from '../output.js';
import type { DirOptions } from '../paths.js';
import { parseHost } from '../selector.js';
import {
  checkConfig,
  checkDaemon,
  checkForwarding,
  checkKeysFolder,
  checkNode,
  checkProxyUser,
  checkRanges,
  checkRights,
  checkTool,
  ephemeralRange,
  type Finding,
} from './checks.js';
import { probe, type ProbeResult } from './probe.js';

export interface DoctorOptions extends DirOptions, JsonOption {
  readonly config?: string;
}

/** Resolves with the exit code: `failed` if something failed, whatever the warnings. */
export async function doctorCommand(server: string | undefined, options: DoctorOptions): Promise<number> {
  const findings = server === undefined ? await checkMachine(options) : await checkServer(server, options);
  show({ findings }, options, () => findings.map(formatFinding).join('\n'));
  return findings.some((finding) => finding.state === 'fail') ? EXIT.failed : EXIT.done;
}

async function checkMachine(options: DoctorOptions): Promise<readonly Finding[]> {
  const { finding, config } = await checkConfig(options.config);
  if (process.platform === 'win32') {
    const windows = await import('./windows-checks.js');
    return [
      checkNode(process.version),
      windows.checkDriverFiles(),
      ...windows.checkService(),
      ...windows.checkStateFolder(),
      finding,
      ...(config === undefined ? [] : [checkRanges(config, ephemeralRange())]),
      ...(await checkKeysFolder(options.config)),
      ...(await checkDaemon(options)),
    ];
  }
  if (process.platform === 'darwin') {
    const { macosFindings } = await import('./macos-checks.js');
    return [checkNode(process.version), ...macosFindings(), finding];
  }
  return [
    checkNode(process.version),
    checkTool('nft', 'nftables'),
    checkTool('setpriv', 'util-linux'),
    checkRights(),
    checkProxyUser(),
    finding,
    ...(config === undefined
      ? []
      : [checkRanges(config, ephemeralRange()), ...checkForwarding(config, notRouted())]),
    ...(await checkKeysFolder(options.config)),
    ...(await checkDaemon(options)),
  ];
}

async function checkServer(text: string, options: DoctorOptions): Promise<readonly Finding[]> {
  const { host, port } = parseHost(text);
  const address = parseIpAddress(host);
  const addresses = address === undefined ? await resolveName(host) : [address];
  if (addresses.length === 0) {
    return [
      {
        check: 'name',
        state: 'fail',
        text: `${host} has no address`,
        todo: 'check the spelling and the network',
      },
    ];
  }
  const { finding, config } = await checkConfig(options.config);
  // What is right about it belongs to the machine's check.
  const results: Finding[] = config === undefined ? [withoutBundle(finding)] : [];
  for (const one of addresses) {
    const name = address === undefined ? host : undefined;
    const endpoint = { address: one, port: port ?? ftpPort() };
    results.push(...(await probeOne(endpoint, name, config?.trust.authorities)));
  }
  return results;
}

/** The server is what was asked about: that the configuration can't be read only leaves its authorities out. */
function withoutBundle(finding: Finding): Finding {
  const todo = 'authorities of trust.ca_bundle are not believed here until it can be read';
  return { ...finding, state: 'warn', todo };
}

async function probeOne(...where: Parameters<typeof probe>): Promise<readonly Finding[]> {
  try {
    return probeFindings(await probe(...where));
  } catch (error) {
    const todo = 'if it should be encrypted, ask the server’s owner; ftpseal would go by fallback.cleartext';
    return [{ check: 'server', state: 'fail', text: Fault.from(error).userMessage, todo }];
  }
}

function probeFindings(result: ProbeResult): readonly Finding[] {
  const trusted = result.untrustedBecause === undefined;
  return [
    {
      check: 'server',
      state: 'ok',
      text: `${result.server} can be secured: ${result.protocol}, ${result.cipher}`,
    },
    { check: 'key', state: 'ok', text: result.fingerprint },
    trusted
      ? {
          check: 'certificate',
          state: 'ok',
          text: `${result.subject}, until ${result.validTo}; an authority vouches for it`,
        }
      : {
          check: 'certificate',
          state: 'warn',
          text: `${result.subject}, until ${result.validTo}; no authority vouches for it (${result.untrustedBecause})`,
          todo: 'compare the key with what the server’s owner gave you',
        },
  ];
}

export function formatFinding({ check, state, text, todo }: Finding): string {
  const mark = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' }[state];
  const lines = text.split('\n');
  const first = `${mark}  ${check.padEnd(13)} ${lines[0] ?? ''}`;
  const more = lines.slice(1).map((line) => `${' '.repeat(20)}${line}`);
  return [first, ...more, ...(todo === undefined ? [] : [`${' '.repeat(20)}-> ${todo}`])].join('\n');
}

function ftpPort(): Port {
  const port = parsePort(21);
  if (port === undefined) throw new RangeError('21 is a port');
  return port;
}
