// The whole of it with keys in the person's keychain: the click stores the key there, and the tray tells when it can't be used.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { login, serverUid } from '../lab/harness/account.js';
import { startDaemon, type Daemon } from '../lab/harness/ftpseal.js';
import { openLab, type Lab } from '../lab/harness/lab.js';
import type { LabServer } from '../lab/harness/server.js';
import { vsftpdTls } from '../lab/servers/vsftpd.js';
import { FtpTalk } from '../lab/show/ftp-talk.js';
import { openPerson, type Person } from './harness/person.js';
import { TrayProcess } from './harness/tray-process.js';

let lab: Lab;
let daemon: Daemon;
let server: LabServer;
let person: Person;

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  daemon = await startDaemon(lab, 'keychain', '[trust]\nunknown = "ask"\nstore = "keychain"\n');
  person = await openPerson(lab, daemon, serverUid + 900, { keyring: true });
});

after(async () => {
  await person.close();
  await daemon.stop();
  await lab.close();
});

async function nextLogin(): Promise<FtpTalk> {
  const talk = await FtpTalk.open(person.talker, server.address.ipv4);
  await talk.say(`USER ${login.user}`);
  return talk;
}

test('trusted by a click, the key is in the keychain; a new tray and a new daemon find it there', async () => {
  const talk = await nextLogin();
  const before = person.tray.opened();
  await person.desk.click(/^New server/);
  const page = await person.open(await person.tray.nextPage(before));
  await page.getByRole('button', { name: 'Trust always' }).click();
  assert.equal((await talk.reply()).code, 331);
  assert.ok((await person.session.secrets()).includes(server.certificate.fingerprint));
  await talk.hangUp();
  assert.equal(await person.tray.stop(), 0);
  await daemon.stop();
  daemon = await startDaemon(lab, 'keychain', '[trust]\nunknown = "ask"\nstore = "keychain"\n');
  const tray = new TrayProcess(person.session, daemon);
  await person.desk.entry(/No FTP session now/);
  const silent = await nextLogin();
  assert.equal((await silent.reply()).code, 331);
  await silent.hangUp();
  await person.session.lock();
  await person.desk.entry(/^Your keychain is locked$/);
  const refused = await nextLogin();
  const reply = await refused.reply();
  assert.equal(reply.code, 421, reply.text);
  assert.match(reply.text, /keychain/i);
  await person.session.unlock();
  await person.desk.entry(/No FTP session now/);
  const again = await nextLogin();
  assert.equal((await again.reply()).code, 331);
  assert.equal(await tray.stop(), 0);
});
