// The property lists for launchd, read by a real parser of such lists (Python's plistlib).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = '/usr/local/lib/ftpseal';

function read(name: string): unknown {
  const file = fileURLToPath(new URL(`../../../../../installers/macos/files/${name}.plist`, import.meta.url));
  const script = 'import json, plistlib, sys; json.dump(plistlib.load(open(sys.argv[1], "rb")), sys.stdout)';
  return JSON.parse(execFileSync('python3', ['-c', script, file], { encoding: 'utf8' }));
}

test('the daemon: started at boot and again after any end, nothing it makes is open to others', () => {
  assert.deepEqual(read('org.ftpseal.daemon'), {
    Label: 'org.ftpseal.daemon',
    ProgramArguments: [
      ...[`${program}/bin/node`, `${program}/dist/daemon/main.js`, 'daemon'],
      ...['--state-dir', '/var/db/ftpseal', '--runtime-dir', '/var/run/ftpseal'],
    ],
    RunAtLoad: true,
    KeepAlive: true,
    ThrottleInterval: 1,
    ExitTimeOut: 20,
    ProcessType: 'Interactive',
    Umask: 0o077,
    SoftResourceLimits: { Core: 0, NumberOfFiles: 8192 },
    StandardErrorPath: '/var/log/ftpseal.log',
  });
});

test('the tray: in each person’s own desktop session, not again after a person ended it', () => {
  assert.deepEqual(read('org.ftpseal.tray'), {
    Label: 'org.ftpseal.tray',
    ProgramArguments: [`${program}/bin/node`, `${program}/dist/daemon/main.js`, 'tray'],
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
    LimitLoadToSessionType: 'Aqua',
    ProcessType: 'Interactive',
    Umask: 0o077,
    SoftResourceLimits: { Core: 0 },
  });
});
