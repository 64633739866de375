// What a service tells systemd, sd_notify(3) without its library: datagrams to the socket that NOTIFY_SOCKET names.
import { closeDescriptor, connectDescriptor, openSocket, sendBytes } from './libc.js';

/** Who started this process and wants to hear from it. Nothing here throws or waits: a service manager is not worth a session. */
export interface ServiceManager {
  /** What is due is done: whoever waits for this service may go on. */
  ready(): void;
  /** One line for `systemctl status`. */
  status(sentence: string): void;
  stopping(): void;
  /** To be called more often than every `watchdogMs`; who stops calling is ended and started anew. */
  alive(): void;
  /** Milliseconds; undefined where nobody watches. */
  readonly watchdogMs: number | undefined;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
/** sun_path of Linux. */
const PATH_MAX = 108;

/** The manager that the environment names; undefined where there is none. Takes the names out, so that no child speaks in our place. */
export function serviceManager(env: NodeJS.ProcessEnv = process.env): ServiceManager | undefined {
  const { NOTIFY_SOCKET: name, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env;
  for (const key of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) Reflect.deleteProperty(env, key);
  const address = name === undefined ? undefined : unixAddress(name);
  if (address === undefined) return undefined;
  const isMeant = pid === undefined || pid === String(process.pid);
  const isWatched = isMeant && usec !== undefined && /^[0-9]{4,15}$/.test(usec);
  const tell = teller(address);
  return {
    ready: () => {
      tell('READY=1');
    },
    status: (sentence) => {
      tell(`STATUS=${sentence.replaceAll('\n', ' ')}`);
    },
    stopping: () => {
      tell('STOPPING=1');
    },
    alive: () => {
      if (isWatched) tell('WATCHDOG=1');
    },
    watchdogMs: isWatched ? Math.floor(Number(usec) / 1000) : undefined,
  };
}

/** One socket for the life of the process. What can't be sent at once is lost: systemd reads, or nobody does. */
function teller(address: Uint8Array): (text: string) => void {
  let fd: number | undefined;
  return (text) => {
    try {
      fd ??= connected(address);
      sendBytes(fd, Buffer.from(text));
    } catch {
      // Its queue is full or it has gone; the next word may get through.
    }
  };
}

function connected(address: Uint8Array): number {
  const fd = openSocket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  try {
    connectDescriptor(fd, address);
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** struct sockaddr_un; a name that begins with @ is abstract. Undefined for what is neither that nor a path. */
function unixAddress(name: string): Uint8Array | undefined {
  const bytes = Buffer.from(name);
  if ((!name.startsWith('/') && !name.startsWith('@')) || bytes.length < 2 || bytes.length >= PATH_MAX)
    return undefined;
  if (name.startsWith('@')) bytes[0] = 0;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, bytes, ...(bytes[0] === 0 ? [] : [Buffer.alloc(1)])]);
}
