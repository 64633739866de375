// What the developer's commands need from Debian, and the only place that installs it. Everything is announced,
// a second run finds everything there and touches nothing. FTP servers conflict with each other as packages, and haproxy
// would run as a service, so they are unpacked into an ignored folder and never installed.
//   node installers/dev/prerequisites.mjs start|unit|lab|desktop|bench|wine
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const serversFolder = path.join(repository, '.lab', 'servers');

/** Debian packages that can be installed beside everything else. */
const packagesOf = {
  start: ['nftables'],
  /** Independent witnesses of the unit tests; each test without its own is a counted skip. */
  unit: ['openssl', 'python3', 'openssh-client', 'curl'],
  lab: [
    'nftables',
    'iproute2',
    'util-linux',
    'tcpdump',
    'openssl',
    'python3',
    'python3-pyftpdlib',
    'curl',
    'lftp',
    'tnftp',
    'inetutils-ftp',
    'socat',
    'dnsmasq-base',
    'stunnel4',
    'wget',
    // The packages of installers/linux, and what looks at them.
    'appstream',
    'debootstrap',
    'desktop-file-utils',
    'fish',
    'mandoc',
    'rpm',
    'systemd-container',
    'zsh',
  ],
};
packagesOf.bench = packagesOf.lab;
/** Windows programs on this machine, what builds for Windows, and a screen for their windows. */
packagesOf.wine = [
  'wine',
  'wine64',
  'nftables',
  'iproute2',
  'util-linux',
  'nsis',
  'gcc-mingw-w64-x86-64',
  'openssl',
  'xvfb',
  'xdotool',
  'scrot',
  'pngquant',
  'chromium',
  'fonts-dejavu-core',
];
/** What packs the Linux packages. */
packagesOf.dist = ['dpkg', 'rpm'];
/** What makes the setup program for Windows. */
packagesOf['dist-windows'] = ['nsis', 'gcc-mingw-w64-x86-64'];
/** A person's desktop without a screen: the lab, and what a session has beside it. */
packagesOf.desktop = [
  ...packagesOf.lab,
  'dbus',
  'gnome-keyring',
  'libsecret-tools',
  'xvfb',
  'openbox',
  'xfce4-panel',
  'xfconf',
  'xfce4-notifyd',
  'xdotool',
  'scrot',
  'pngquant',
  'zenity',
  'libayatana-appindicator3-1',
  'chromium',
  'chromium-sandbox',
  'fonts-dejavu-core',
  'adwaita-icon-theme',
];

/** FTP servers and haproxy, one folder each: name of the folder, packages to unpack, the program that proves it is complete. */
const labServers = [
  { name: 'vsftpd', packages: ['vsftpd'], program: 'usr/sbin/vsftpd' },
  { name: 'proftpd', packages: ['proftpd-core', 'proftpd-mod-crypto'], program: 'usr/sbin/proftpd' },
  { name: 'pure-ftpd', packages: ['pure-ftpd-common', 'pure-ftpd'], program: 'usr/sbin/pure-ftpd' },
  { name: 'haproxy', packages: ['haproxy'], program: 'usr/sbin/haproxy' },
  // Installed, it would take over the names of the whole machine.
  {
    name: 'systemd-resolved',
    packages: ['systemd-resolved'],
    program: 'lib/systemd/systemd-resolved',
  },
];
/** Only its checker of what is offered for monitoring is run. */
const prometheus = { name: 'prometheus', packages: ['prometheus'], program: 'usr/bin/promtool' };
const serversOf = {
  start: [],
  dist: [],
  'dist-windows': [],
  unit: [prometheus],
  lab: labServers,
  desktop: labServers,
  wine: labServers.filter((server) => server.name === 'vsftpd'),
  bench: [
    ...labServers,
    {
      name: 'proftpd-proxy',
      packages: ['proftpd-core', 'proftpd-mod-crypto', 'proftpd-mod-proxy'],
      program: 'usr/sbin/proftpd',
    },
  ],
};

/**
 * Makes sure that everything for `task` is there. Returns undefined when it is, else the sentence that says why not;
 * the caller decides whether that is a failure or a skipped test.
 */
export function ensurePrerequisites(task) {
  const packages = packagesOf[task].filter((name) => !isInstalled(name));
  const servers = serversOf[task].filter((server) => !isUnpacked(server));
  if (packages.length === 0 && servers.length === 0) return undefined;
  const wanted = [...packages, ...servers.map((server) => server.name)].join(' ');
  if (process.getuid?.() !== 0) return `not root, so the missing ${wanted} can't be installed`;
  if (!hasApt()) return `no apt-get on this machine, so the missing ${wanted} can't be installed`;
  try {
    refreshPackageLists();
    installPackages(packages);
    for (const server of servers) unpackServer(server);
  } catch (error) {
    return `installing ${wanted} failed: ${error.message.split('\n')[0]}`;
  }
  return undefined;
}

function hasApt() {
  return spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Whether dpkg knows the package as installed; false on machines without dpkg. */
function isInstalled(name) {
  const query = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], { encoding: 'utf8' });
  return query.status === 0 && query.stdout === 'installed';
}

let refreshed = false;

function refreshPackageLists() {
  if (refreshed) return;
  say('refreshing the Debian package lists (apt-get update)');
  // A stale list may still do, so a failure here shows up at the install, with a better message.
  spawnSync('apt-get', ['-qq', 'update'], { stdio: ['ignore', 'ignore', 'inherit'] });
  refreshed = true;
}

function installPackages(packages) {
  if (packages.length === 0) return;
  say(`installing ${packages.join(' ')}`);
  execFileSync('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function stampOf(server) {
  return path.join(serversFolder, server.name, '.packages.json');
}

/** The stamp is written last, so a broken download is never taken for a complete server. */
function isUnpacked(server) {
  if (!existsSync(path.join(serversFolder, server.name, server.program))) return false;
  if (!existsSync(stampOf(server))) return false;
  const stamp = JSON.parse(readFileSync(stampOf(server), 'utf8'));
  return server.packages.every((name) => stamp.includes(name));
}

/** Unpacks the server's packages, and the libraries they need that this machine lacks, into .lab/servers/<name>. */
function unpackServer(server) {
  const target = path.join(serversFolder, server.name);
  say(`unpacking ${server.packages.join(' ')} into ${path.relative(repository, target)} (not installed)`);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const download = mkdtempSync(path.join(tmpdir(), 'ftpseal-packages-'));
  try {
    const done = new Set();
    let pending = server.packages;
    while (pending.length > 0) {
      for (const name of pending) done.add(name);
      pending = fetchAndUnpack(pending, download, target).filter((name) => !done.has(name));
    }
    writeFileSync(stampOf(server), JSON.stringify([...done]));
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
}

/** Returns the libraries that these packages need and that are not installed. */
function fetchAndUnpack(names, download, target) {
  const options = ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...names];
  execFileSync('apt-get', options, { cwd: download, stdio: ['ignore', 'ignore', 'inherit'] });
  const needed = new Set();
  for (const file of readdirSync(download)) {
    const archive = path.join(download, file);
    execFileSync('dpkg', ['-x', archive, target]);
    for (const library of librariesOf(archive)) needed.add(library);
    rmSync(archive);
  }
  return [...needed].filter((name) => !isInstalled(name));
}

function librariesOf(archive) {
  const depends = execFileSync('dpkg-deb', ['-f', archive, 'Depends'], { encoding: 'utf8' });
  return depends
    .split(/[,|]/)
    .map((entry) => entry.trim().split(/[\s:(]/)[0])
    .filter((name) => name.startsWith('lib') && name !== 'libpam-runtime' && name !== 'libpam-modules');
}

/** One line of what a command is doing for the developer. */
export function say(text) {
  console.log(`· ${text}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const task = process.argv[2];
  if (task === undefined || !Object.hasOwn(packagesOf, task)) {
    console.error(`usage: prerequisites.mjs ${Object.keys(packagesOf).join('|')}`);
    process.exit(2);
  }
  const reason = ensurePrerequisites(task);
  console.log(reason ?? `everything for ${task} is there`);
  process.exit(reason === undefined ? 0 : 1);
}
