// The manager's own scripts, styles and pictures, read once. Nothing else is ever served as a file.
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

export interface Asset {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Every file of the compiled folder `page` by its name. Throws the system's error if the folder is not there. */
export function loadAssets(folder: string = join(import.meta.dirname, 'page')): ReadonlyMap<string, Asset> {
  const names = readdirSync(folder).filter((name) => Object.hasOwn(types, extname(name)));
  return new Map(
    names.map((name) => [
      name,
      { type: types[extname(name)] ?? '', body: new Uint8Array(readFileSync(join(folder, name))) },
    ]),
  );
}
