// "Start at login": the desktop's autostart folder (freedesktop.org Desktop Application Autostart). The person's own file wins over
// the one of the package in /etc/xdg.
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '../daemon/sys/atomic-file.js';
import { setStartsAtLoginOnWindows, startsAtLoginOnWindows } from './autostart-windows.js';

export interface AutostartPlace {
  /** The person's own file. */
  readonly file: string;
  /** The file that the package brings for everybody. */
  readonly systemFile: string;
  /** The program with its arguments, as it is to be started. */
  readonly command: readonly string[];
}

/** Where the desktop looks, for the person who runs this. */
export function autostartPlace(command: readonly string[], env: NodeJS.ProcessEnv): AutostartPlace {
  const config = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? homedir(), '.config');
  return {
    file: join(config, 'autostart', 'ftpseal.desktop'),
    systemFile: '/etc/xdg/autostart/ftpseal.desktop',
    command,
  };
}

export function startsAtLogin({ file, systemFile }: AutostartPlace): boolean {
  if (process.platform === 'win32') return startsAtLoginOnWindows();
  const own = readText(file);
  return own === undefined ? existsSync(systemFile) : !/^Hidden *= *true *$/m.test(own);
}

/** Rejects with the system's error if the folder can't be written. */
export async function setStartsAtLogin(place: AutostartPlace, wanted: boolean): Promise<void> {
  const { file, systemFile, command } = place;
  if (process.platform === 'win32') {
    setStartsAtLoginOnWindows(command, wanted);
    return;
  }
  const isInPackage = existsSync(systemFile);
  if (wanted === isInPackage) {
    await rm(file, { force: true });
    return;
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFileAtomic(file, wanted ? entry(command) : hidden, 0o644);
}

const hidden = '[Desktop Entry]\nType=Application\nName=ftpseal\nHidden=true\n';

function entry(command: readonly string[]): string {
  return [
    '[Desktop Entry]',
    'Type=Application',
    'Name=ftpseal',
    'Comment=Asks whether a new FTP server is to be trusted, and shows that FTP is encrypted',
    `Exec=${command.map(quoted).join(' ')}`,
    'Terminal=false',
    'NoDisplay=true',
    '',
  ].join('\n');
}

/** One argument of an Exec line: quoted as a string in a string, and `%` is no field code. */
function quoted(argument: string): string {
  const inner = argument.replace(/(["`$\\])/g, '\\$1').replaceAll('\\', '\\\\');
  return `"${inner.replaceAll('%', '%%')}"`;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
