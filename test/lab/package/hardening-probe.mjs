// Runs in the place of the daemon, under all that the unit says, tries what the daemon never does, and prints what came of it.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const koffi = createRequire('/usr/lib/ftpseal/dist/daemon/main.js')('koffi');
const libc = koffi.load(null);
const names = { 1: 'EPERM', 13: 'EACCES', 97: 'EAFNOSUPPORT' };

function call(declaration, ...args) {
  const result = libc.func(declaration)(...args);
  return Number(result) >= 0 ? 'done' : (names[koffi.errno()] ?? `errno ${koffi.errno()}`);
}

function attempt(action) {
  try {
    action();
    return 'done';
  } catch (error) {
    return error.code ?? error.message;
  }
}

const own = '/var/lib/ftpseal-probe/true';
copyFileSync('/usr/bin/true', own);
const found = {
  'write below /etc': attempt(() => writeFileSync('/etc/probe', '')),
  'write into the program': attempt(() => writeFileSync('/usr/lib/ftpseal/probe', '')),
  'write below /var': attempt(() => writeFileSync('/var/log/probe', '')),
  'write its own state': attempt(() => writeFileSync('/var/lib/ftpseal-probe/probe', '')),
  'look into /root': attempt(() => readdirSync('/root')),
  'look into /home/person': attempt(() => readdirSync('/home/person')),
  'see the /tmp of others': readdirSync('/tmp').includes('somebodys') ? 'done' : 'empty',
  'see processes of others': attempt(() => readFileSync('/proc/1/comm')),
  'make a set-uid file': attempt(() => chmodSync(own, 0o4755)),
  'execute a file that it wrote': attempt(() => {
    chmodSync(own, 0o755);
    execFileSync(own);
  }),
  'a raw packet socket': call('int socket(int, int, int)', 17, 3, 0),
  'a user namespace': call('int unshare(int)', 0x10000000),
  'a mount': call(
    'int mount(void *, const char *, void *, unsigned long, void *)',
    null,
    '/tmp',
    null,
    4096,
    null,
  ),
  'another root': call('int chroot(const char *)', '/tmp'),
  'another uid': call('int setuid(unsigned int)', 0),
  'kernel log': attempt(() => readFileSync('/dev/kmsg')),
  'a tun device': attempt(() => readFileSync('/dev/net/tun')),
  'a kernel setting': attempt(() => writeFileSync('/proc/sys/net/ipv4/ip_forward', '0')),
  'redirect rules': attempt(() => execFileSync('nft', ['list', 'tables'])),
  'core size': /Max core file size +(\S+) +(\S+)/
    .exec(readFileSync('/proc/self/limits', 'utf8'))
    .slice(1)
    .join(' '),
};
writeFileSync('/var/lib/ftpseal-probe/found.json', JSON.stringify(found));
