// The service's entry with the service manager: made, removed, started, stopped. Windows only, for administrators.
import koffi from 'koffi';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../../shared/fault.js';
import { steadyNow } from '../sys/steady-clock.js';

export const serviceName = 'ftpseal';
const displayName = 'ftpseal: makes FTP safe';
const description =
  'Encrypts the FTP connections of this computer and checks the servers. Without it they are sent readable for everybody on the way.';

const MANAGER_ALL = 0xf003f;
const SERVICE_ALL = 0xf01ff;
const OWN_PROCESS = 0x10;
const AUTO_START = 2;
const ERROR_NORMAL = 1;
const ERROR_ACCESS_DENIED = 5;
const CONTROL_STOP = 1;
const STOPPED = 1;
const RUNNING = 4;
const CONFIG_DESCRIPTION = 1;
const CONFIG_FAILURE_ACTIONS = 2;
const CONFIG_FAILURE_FLAG = 4;
const ACTION_RESTART = 1;
/** The manager starts it again after so many milliseconds: the first, the second and every later time within a day. */
const restartsMs = [1000, 5000, 60_000] as const;
const RESET_S = 86_400;
const stopMs = 20_000;
const startMs = 60_000;

type Call = (...args: readonly unknown[]) => unknown;
const signatures = {
  OpenSCManagerW: 'intptr_t OpenSCManagerW(void *machine, void *database, uint32_t access)',
  OpenServiceW: 'intptr_t OpenServiceW(intptr_t manager, const char16_t *name, uint32_t access)',
  CreateServiceW:
    'intptr_t CreateServiceW(intptr_t manager, const char16_t *name, const char16_t *display, uint32_t access, uint32_t type, uint32_t start, uint32_t error, const char16_t *command, void *group, void *tag, void *dependencies, void *account, void *password)',
  ChangeServiceConfigW:
    'int ChangeServiceConfigW(intptr_t service, uint32_t type, uint32_t start, uint32_t error, const char16_t *command, void *group, void *tag, void *dependencies, void *account, void *password, const char16_t *display)',
  ChangeServiceConfig2W: 'int ChangeServiceConfig2W(intptr_t service, uint32_t level, void *information)',
  StartServiceW: 'int StartServiceW(intptr_t service, uint32_t count, void *arguments)',
  ControlService: 'int ControlService(intptr_t service, uint32_t control, void *status)',
  QueryServiceStatus: 'int QueryServiceStatus(intptr_t service, void *status)',
  DeleteService: 'int DeleteService(intptr_t service)',
  CloseServiceHandle: 'int CloseServiceHandle(intptr_t handle)',
} as const;

let calls: ReadonlyMap<string, Call> | undefined;
let lastErrorCall: Call | undefined;

function call(name: keyof typeof signatures, ...args: readonly unknown[]): number {
  if (calls === undefined) {
    const library = koffi.load('advapi32.dll');
    calls = new Map(
      Object.entries(signatures).map(([key, text]): [string, Call] => [key, library.func(text)]),
    );
  }
  return Number(calls.get(name)?.(...args));
}

/** Of the call just before. */
function lastError(): number {
  return Number(lastErrorCall?.() ?? 0);
}

/** Makes the service, or gives one that is there this command. It starts with Windows. Rejects with a Fault of code `not-permitted`. */
export function installService(command: readonly string[]): void {
  withManager((manager) => {
    const text = command.map(quoted).join(' ');
    const existing = call('OpenServiceW', manager, serviceName, SERVICE_ALL);
    const service = existing === 0 ? create(manager, text) : existing;
    if (service === 0) throw refused('made');
    try {
      if (existing !== 0) change(service, text);
      describe(service);
    } finally {
      call('CloseServiceHandle', service);
    }
  });
}

/** Stops and removes it; false if there is none. */
export async function removeService(): Promise<boolean> {
  if ((await stopService()) === 'none') return false;
  withService((service) => {
    if (call('DeleteService', service) === 0) throw refused('removed');
  });
  return true;
}

/** Resolves when it runs. Rejects with a Fault if it ends again or is not there. */
export async function startService(): Promise<void> {
  const error = withService((service) => {
    if (stateOf(service) === RUNNING || call('StartServiceW', service, 0, null) !== 0) return 0;
    return lastError();
  });
  if (error === undefined) throw missing();
  if (error === ERROR_ACCESS_DENIED) throw refused('started');
  if (error !== 0) {
    throw new Fault(
      'internal',
      `Windows could not start the service ftpseal (its error ${error}); restart Windows, or install ftpseal again.`,
    );
  }
  if ((await settled(startMs, (state) => state === RUNNING || state === STOPPED)) === RUNNING) return;
  throw new Fault('internal', 'The service ftpseal did not start; its log says why: ftpseal log');
}

/** Resolves when it has ended: `none` if there is no such service. Rejects with a Fault if it does not end. */
export async function stopService(): Promise<'stopped' | 'none'> {
  const found = withService((service) => {
    if (stateOf(service) !== STOPPED) call('ControlService', service, CONTROL_STOP, Buffer.alloc(28));
    return true;
  });
  if (found === undefined) return 'none';
  if ((await settled(stopMs, (state) => state === STOPPED)) === STOPPED) return 'stopped';
  throw new Fault('internal', 'The service ftpseal does not end; restart Windows.');
}

/** Whether it runs; undefined if it is not installed. */
export function isServiceRunning(): boolean | undefined {
  return withService((service) => stateOf(service) === RUNNING);
}

function create(manager: number, command: string): number {
  const how = [SERVICE_ALL, OWN_PROCESS, AUTO_START, ERROR_NORMAL, command] as const;
  return call('CreateServiceW', manager, serviceName, displayName, ...how, null, null, null, null, null);
}

function change(service: number, command: string): void {
  const how = [
    OWN_PROCESS,
    AUTO_START,
    ERROR_NORMAL,
    command,
    null,
    null,
    null,
    null,
    null,
    displayName,
  ] as const;
  if (call('ChangeServiceConfigW', service, ...how) === 0) throw refused('changed');
}

/** Description and recovery; what the manager does not take (Wine's knows the description alone) is not worth a failure. */
function describe(service: number): void {
  const text = Buffer.from(`${description}\0`, 'utf16le');
  call('ChangeServiceConfig2W', service, CONFIG_DESCRIPTION, pointerTo(text));
  const actions = Buffer.alloc(8 * restartsMs.length);
  restartsMs.forEach((ms, index) => {
    actions.writeUInt32LE(ACTION_RESTART, 8 * index);
    actions.writeUInt32LE(ms, 8 * index + 4);
  });
  const failure = Buffer.alloc(40);
  failure.writeUInt32LE(RESET_S, 0);
  failure.writeUInt32LE(restartsMs.length, 24);
  failure.writeBigUInt64LE(koffi.address(actions), 32);
  call('ChangeServiceConfig2W', service, CONFIG_FAILURE_ACTIONS, failure);
  // Also after an end with an exit code, not only after a crash.
  const always = Buffer.alloc(4);
  always.writeUInt32LE(1);
  call('ChangeServiceConfig2W', service, CONFIG_FAILURE_FLAG, always);
}

function pointerTo(bytes: Buffer): Buffer {
  const pointer = Buffer.alloc(8);
  pointer.writeBigUInt64LE(koffi.address(bytes));
  return pointer;
}

function stateOf(service: number): number {
  const status = Buffer.alloc(28);
  return call('QueryServiceStatus', service, status) === 0 ? STOPPED : status.readUInt32LE(4);
}

async function settled(patienceMs: number, isSettled: (state: number) => boolean): Promise<number> {
  const deadline = steadyNow() + patienceMs;
  for (;;) {
    const state = withService(stateOf) ?? STOPPED;
    if (isSettled(state) || steadyNow() > deadline) return state;
    await delay(100);
  }
}

function withService<T>(use: (service: number) => T): T | undefined {
  return withManager((manager) => {
    const service = call('OpenServiceW', manager, serviceName, SERVICE_ALL);
    if (service === 0) return undefined;
    try {
      return use(service);
    } finally {
      call('CloseServiceHandle', service);
    }
  });
}

function withManager<T>(use: (manager: number) => T): T {
  const manager = call('OpenSCManagerW', null, null, MANAGER_ALL);
  if (manager === 0) throw refused('reached');
  try {
    return use(manager);
  } finally {
    call('CloseServiceHandle', manager);
  }
}

/** One argument of a command line, for CommandLineToArgvW; paths end in no backslash here. */
function quoted(argument: string): string {
  if (argument.includes('"')) throw new Fault('usage', `The service can’t be given ${argument}.`);
  return `"${argument}"`;
}

function missing(): Fault {
  return new Fault('usage', 'The service ftpseal is not installed: ftpseal service install');
}

function refused(what: string): Fault {
  return new Fault(
    'not-permitted',
    `The service ftpseal could not be ${what}: run this as an administrator.`,
  );
}
