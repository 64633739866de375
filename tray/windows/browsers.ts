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
  if (!hasScreen(env)) return [];
  const folders = (env['PATH'] ?? '').split(':').filter(isAbsolute);
  const find = (kind: Browser['kind'], name: string): readonly Browser[] => {
    const path = folders.map((folder) => join(folder, name)).find(isExecutable);
    return path === undefined ? [] : [{ kind, path }];
  };
  return [...appBrowsers.flatMap((name) => find('app', name)), ...find('any', 'xdg-open')];
}

/** Whether a window can appear somewhere. */
export function hasScreen(env: NodeJS.ProcessEnv): boolean {
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
