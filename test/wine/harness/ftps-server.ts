// A real FTPS server of this machine on loopback, which Wine shares: vsftpd, TLS forced, session reuse demanded. Needs root.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { login, makeAccount, serverUid, withAccount } from '../../lab/harness/account.js';
import { makeCertificate } from '../../lab/harness/certificates.js';
import { start, waitFor } from '../../lab/harness/command.js';
import { vsftpd } from '../../lab/servers/vsftpd.js';

export interface FtpsServer {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Of its key, as openssl computed it. */
  readonly fingerprint: string;
  stop(): Promise<void>;
}

/** Serves `files` (name and text). */
export async function startFtpsServer(files: Readonly<Record<string, string>>): Promise<FtpsServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-ftps-'));
  // The account of the server goes through it.
  chmodSync(folder, 0o711);
  const home = path.join(folder, 'home');
  mkdirSync(home, { recursive: true });
  chownSync(home, serverUid, serverUid);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(home, name), text);
  const certificate = await makeCertificate(folder, 'server');
  const account = await makeAccount(path.join(folder, 'account'), home);
  const port = await freePort();
  const kind = vsftpd('vsftpd', 'on loopback', true, [`listen_port=${port}`, 'connect_from_port_20=NO']);
  const argv = kind.prepare({ address: '127.0.0.1', folder, home, certificate, account });
  const running = start({}, withAccount(account, argv));
  await waitFor(
    () => `vsftpd: ${running.stdout()}${running.stderr()}`,
    () => greets(port),
  );
  const stop = async (): Promise<void> => {
    await running.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, ...login, fingerprint: certificate.fingerprint, stop };
}

/** A port of loopback that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (greeted: boolean) => (): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.once('data', end(true)).once('error', end(false)).once('close', end(false));
  });
}
