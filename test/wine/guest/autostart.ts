// Start at login, switched on and off, without and with the installer's own entry for all users. Prints what was the case each time.
import { callWindows } from '../../../daemon/sys/windows/calls.js';
import { setStartsAtLoginOnWindows, startsAtLoginOnWindows } from '../../../tray/autostart-windows.js';

const command = ['C:\\Program Files\\ftpseal\\node.exe', 'main.js', 'tray'];
const LOCAL_MACHINE = -2147483646;
const run = 'Software\\Microsoft\\Windows\\CurrentVersion\\Run';
const answers: boolean[] = [startsAtLoginOnWindows()];
const set = (wanted: boolean): void => {
  setStartsAtLoginOnWindows(command, wanted);
  answers.push(startsAtLoginOnWindows());
};
set(true);
set(false);
const entry = Buffer.from('"node.exe"\0', 'utf16le');
callWindows('RegSetKeyValueW', LOCAL_MACHINE, run, 'ftpseal', 1, entry, entry.length);
set(false);
set(true);
process.stdout.write(JSON.stringify(answers));
