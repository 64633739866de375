// What a client can see of its connections is the server and nothing else (the Show 3): the peer of the control
// connection and of every data connection, in every mode and both families.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clientUid } from './harness/account.js';
import { acceptNew, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content } from './harness/payload.js';
import type { LabServer } from './harness/server.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { digest, place } from './show/ground.js';
import { FtpTalk, type Form } from './show/ftp-talk.js';
import { Talker } from './show/talker.js';

const file = content(300_000);

let lab: Lab;
let daemon: Daemon;
let server: LabServer;
let person: Talker;

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  place(server, 'file.bin', file);
  daemon = await startDaemon(lab, 'show-3', acceptNew);
  person = new Talker({ namespace: lab.network.pc, uid: clientUid });
});

after(async () => {
  await person.stop();
  await daemon.stop();
  await lab.close();
});

const modes: readonly { readonly form: Form; readonly families: readonly ('ipv4' | 'ipv6')[] }[] = [
  { form: 'PASV', families: ['ipv4'] },
  { form: 'PORT', families: ['ipv4'] },
  { form: 'EPSV', families: ['ipv4', 'ipv6'] },
  { form: 'EPRT', families: ['ipv4', 'ipv6'] },
];

for (const { form, families } of modes) {
  for (const family of families) {
    test(`${form} over ${family}: every peer is the server`, async () => {
      const address = server.address[family];
      const talk = await FtpTalk.open(person, address);
      assert.deepEqual(talk.control.peer, [address, 21]);
      await talk.login();
      // Several in one session: a second active connection must find port 20 free again.
      for (let round = 0; round < 3; round += 1) {
        const fetched = await talk.fetch(form, 'RETR file.bin');
        assert.equal(fetched.final.code, 226, fetched.final.text);
        assert.equal(fetched.sha256, digest(file));
        const [host, port] = fetched.data.peer;
        assert.equal(host, address);
        if (form === 'PORT' || form === 'EPRT') assert.equal(port, 20);
      }
      await talk.expect(221, 'QUIT');
    });
  }
}

test('the client was secured all the while', async () => {
  assert.match((await daemon.cli(['log'])).stdout, /session secured/);
  assert.doesNotMatch((await daemon.cli(['log'])).stdout, /session (?:cleartext|tunnelled|relayed)/);
});
