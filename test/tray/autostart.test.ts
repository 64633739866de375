import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  autostartPlace,
  setStartsAtLogin,
  startsAtLogin,
  type AutostartPlace,
} from '../../tray/autostart.js';

let folder: string;
let place: AutostartPlace;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-autostart-'));
  const made = autostartPlace(['/usr/bin/node', '/opt/a "b" $c %d\\e/main.js', 'tray'], {
    XDG_CONFIG_HOME: folder,
  });
  place = { ...made, systemFile: path.join(folder, 'system.desktop') };
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('start at login', () => {
  it('is a file in the person’s autostart folder', async () => {
    assert.equal(place.file, path.join(folder, 'autostart/ftpseal.desktop'));
    assert.equal(startsAtLogin(place), false);
    await setStartsAtLogin(place, true);
    assert.equal(startsAtLogin(place), true);
    await setStartsAtLogin(place, false);
    assert.equal(startsAtLogin(place), false);
    assert.equal(existsSync(place.file), false);
  });

  it('quotes the command so that nothing in a path is more than text', async () => {
    await setStartsAtLogin(place, true);
    const exec = /^Exec=(.*)$/m.exec(readFileSync(place.file, 'utf8'))?.[1];
    assert.equal(exec, String.raw`"/usr/bin/node" "/opt/a \\"b\\" \\$c %%d\\\\e/main.js" "tray"`);
  });

  it('hides what the package starts for everybody, and shows it again', async () => {
    writeFileSync(place.systemFile, '[Desktop Entry]\n');
    assert.equal(startsAtLogin(place), true);
    await setStartsAtLogin(place, false);
    assert.equal(startsAtLogin(place), false);
    assert.match(readFileSync(place.file, 'utf8'), /^Hidden=true$/m);
    await setStartsAtLogin(place, true);
    assert.equal(startsAtLogin(place), true);
    assert.equal(existsSync(place.file), false);
  });
});
