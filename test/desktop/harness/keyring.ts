// A person's desktop session without a screen: a user of its own with a private home, a D-Bus session bus and a real
// gnome-keyring. Nothing of it outlives the test, and the machine's account files stay as they are.
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, start, waitFor, type Finished, type Running } from '../../lab/harness/command.js';

const password = 'Login-Keyring-4711';
const collection = '/org/freedesktop/secrets/collection/login';

/** As PAM unlocks the login keyring when a person logs in: the daemon's own control socket. */
const unlockScript = `
import os, socket, struct, sys
password = sys.argv[1].encode()
control = socket.socket(socket.AF_UNIX)
control.settimeout(10)
control.connect(os.environ['XDG_RUNTIME_DIR'] + '/keyring/control')
control.send(b'\\0')
control.send(struct.pack('>III', 12 + len(password), 1, len(password)) + password)
sys.exit(struct.unpack('>II', control.recv(8))[1])
`;

export interface SessionOptions {
  /** Where the home goes; every user must be able to enter it. */
  readonly folder: string;
  readonly uid: number;
  /** A bus that starts services by itself, as on most desktops; else what is not started is not there. */
  readonly withServices?: boolean;
}

/** See the head of the file. `close` ends everything that it started. */
export class DesktopSession {
  readonly uid: number;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #passwd: string;
  readonly #running: Running[] = [];
  #bus: Running | undefined;
  #keyring: Running | undefined;

  private constructor({ folder, uid }: SessionOptions) {
    this.uid = uid;
    this.home = path.join(folder, `home-${uid}`);
    const runtime = path.join(this.home, 'run');
    mkdirSync(runtime, { recursive: true });
    for (const one of [this.home, runtime]) chownSync(one, uid, uid);
    chmodSync(runtime, 0o700);
    this.#passwd = path.join(folder, `passwd-${uid}`);
    const entry = `person${uid}:x:${uid}:${uid}::${this.home}:/bin/sh\n`;
    writeFileSync(this.#passwd, readFileSync('/etc/passwd', 'utf8') + entry);
    this.env = {
      HOME: this.home,
      XDG_RUNTIME_DIR: runtime,
      XDG_DATA_HOME: path.join(this.home, 'data'),
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus`,
    };
  }

  /** A session with its bus, and no keyring yet. */
  static async open(options: SessionOptions): Promise<DesktopSession> {
    const session = new DesktopSession(options);
    try {
      await session.startBus(options.withServices === true);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async startBus(withServices = false): Promise<void> {
    const runtime = this.env['XDG_RUNTIME_DIR'] ?? '';
    const config = path.join(this.home, 'bus.conf');
    writeFileSync(config, bareBus);
    const which = withServices ? '--session' : `--config-file=${config}`;
    const bus = this.start([
      'dbus-daemon',
      which,
      '--nofork',
      '--nopidfile',
      `--address=unix:path=${runtime}/bus`,
    ]);
    this.#bus = bus;
    await this.#answers('org.freedesktop.DBus', () => bus.stderr());
  }

  /** What the bus reported, each service that it started among it. */
  busLog(): string {
    return this.#bus?.stderr() ?? '';
  }

  async stopBus(): Promise<void> {
    await this.#bus?.stop();
  }

  /** Starts gnome-keyring with an unlocked login keyring, as a login does; or locked, as a login without password does. */
  async startKeyring(how: 'unlocked' | 'locked' = 'unlocked'): Promise<void> {
    const flags = how === 'unlocked' ? ['--unlock'] : [];
    const keyring = this.start(['gnome-keyring-daemon', '--foreground', ...flags, '--components=secrets']);
    this.#keyring = keyring;
    keyring.child.stdin?.end(how === 'unlocked' ? password : '');
    await this.#answers('org.freedesktop.secrets', () => keyring.stderr());
  }

  async stopKeyring(): Promise<void> {
    await this.#keyring?.stop();
    this.#keyring = undefined;
  }

  /** gnome-keyring broke off by itself (GLib's breakpoint behind a fatal message); what it said last. Undefined while it did not. */
  keyringBrokeOff(): string | undefined {
    const keyring = this.#keyring;
    return keyring?.child.signalCode === 'SIGTRAP' ? keyring.stderr().slice(-300) : undefined;
  }

  /** A keyring that hangs, and goes on. */
  signalKeyring(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#keyring?.child.kill(signal);
  }

  async lock(): Promise<void> {
    const call = 'org.freedesktop.Secret.Service.Lock';
    const to = ['--dest=org.freedesktop.secrets', '/org/freedesktop/secrets'];
    await this.must(['dbus-send', '--session', '--print-reply', ...to, call, `array:objpath:${collection}`]);
  }

  async unlock(): Promise<void> {
    await this.must(['/usr/bin/python3', '-c', unlockScript, password]);
  }

  /** What secret-tool, which knows nothing of ftpseal, finds under its service name. */
  async secrets(): Promise<string> {
    const found = await this.run(['secret-tool', 'search', '--all', 'service', 'ftpseal']);
    return found.stdout + found.stderr;
  }

  /** One secret, as secret-tool finds it; empty if there is none. */
  async secret(account: string): Promise<string> {
    return (await this.run(['secret-tool', 'lookup', 'service', 'ftpseal', 'username', account])).stdout;
  }

  async storeSecret(account: string, text: string): Promise<void> {
    const names = ['service', 'ftpseal', 'username', account];
    const label = ['--label', 'by hand'];
    const stored = await this.run(['secret-tool', 'store', ...label, ...names], text);
    if (stored.code !== 0) throw new Error(stored.stderr);
  }

  async clearSecret(account: string): Promise<void> {
    await this.must(['secret-tool', 'clear', 'service', 'ftpseal', 'username', account]);
  }

  run(argv: readonly string[], input = ''): Promise<Finished> {
    return run({ env: this.env }, this.#asPerson(argv), { input });
  }

  async must(argv: readonly string[]): Promise<string> {
    const finished = await this.run(argv);
    if (finished.code !== 0) throw new Error(`${argv.join(' ')}: ${finished.stderr}`);
    return finished.stdout;
  }

  start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    const running = start({ env: { ...this.env, ...env } }, this.#asPerson(argv));
    this.#running.push(running);
    return running;
  }

  async close(): Promise<void> {
    for (const running of this.#running.reverse()) {
      running.child.kill('SIGCONT');
      await running.stop();
    }
  }

  /** gnome-keyring and D-Bus want to know the user's name. */
  #asPerson(argv: readonly string[]): readonly string[] {
    return [
      ...['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c'],
      ...['mount --bind "$0" /etc/passwd && exec "$@"', this.#passwd],
      ...['setpriv', `--reuid=${this.uid}`, `--regid=${this.uid}`, '--clear-groups', '--', ...argv],
    ];
  }

  async #answers(name: string, output: () => string): Promise<void> {
    const to = ['--dest=org.freedesktop.DBus', '/org/freedesktop/DBus'];
    const ask = [
      'dbus-send',
      '--session',
      '--print-reply',
      ...to,
      'org.freedesktop.DBus.NameHasOwner',
      `string:${name}`,
    ];
    await waitFor(
      () => `${name} on the bus of ${this.uid}: ${output()}`,
      async () => (await this.run(ask)).stdout.includes('boolean true'),
    );
  }
}

const bareBus = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
`;
