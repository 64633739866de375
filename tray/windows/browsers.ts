// Which program can show a page of the manager here.
import { accessSync, constants } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** `app`: shows a page as a window of its own. `any`: hands the page to the person's usual browser. */
export interface Browser {
  readonly kind: 'app' | 'any';
  readonly path: string;
}

const appBrowsers = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'microsoft-edge-stable',
  'microsoft-edge',
  'brave-browser',
];

/** Best first; empty where there is none or no screen to show it on. */
export function findBrowsers(env: NodeJS.ProcessEnv): readonly Browser[] {
  if (process.platform === 'win32') return windowsBrowsers(env);
  if (!hasScreen(env)) return [];
  const folders = (env['PATH'] ?? '').split(':').filter(isAbsolute);
  const find = (kind: Browser['kind'], name: string): readonly Browser[] => {
    const path = folders.map((folder) => join(folder, name)).find(isExecutable);
    return path === undefined ? [] : [{ kind, path }];
  };
  return [...appBrowsers.flatMap((name) => find('app', name)), ...find('any', 'xdg-open')];
}

/** Below Program Files and the person's own programs; Edge is part of Windows. */
const windowsPaths = [
  'Microsoft\\Edge\\Application\\msedge.exe',
  'Google\\Chrome\\Application\\chrome.exe',
  'BraveSoftware\\Brave-Browser\\Application\\brave.exe',
  'Chromium\\Application\\chrome.exe',
];

function windowsBrowsers(env: NodeJS.ProcessEnv): readonly Browser[] {
  const roots = ['ProgramFiles(x86)', 'ProgramFiles', 'LOCALAPPDATA'].flatMap((name) => env[name] ?? []);
  const apps = windowsPaths.flatMap((path) => roots.map((root) => join(root, path))).filter(isExecutable);
  const explorer = join(env['SystemRoot'] ?? 'C:\\Windows', 'explorer.exe');
  return [
    ...apps.map((path): Browser => ({ kind: 'app', path })),
    ...(isExecutable(explorer) ? [{ kind: 'any', path: explorer } as const] : []),
  ];
}

/** Whether a window can appear somewhere. */
export function hasScreen(env: NodeJS.ProcessEnv): boolean {
  if (process.platform === 'win32') return true;
  return (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '';
}

/** The program of that name, for helpers that are no browsers. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env['PATH'] ?? '').split(':').filter(isAbsolute);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
