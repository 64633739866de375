// The certificates of the tunnel's tests, made by OpenSSL, and a server and a client in ftpseal joined by a tunnel.
import { mkdirSync, readFileSync } from 'node:fs';
import { issued, openWorkshop, selfSigned, threeSteps, type Workshop } from '../cert/openssl.js';
import { listeningTunnel, tunnel, type Runner } from './tunnel-process.js';

export const MEBIBYTE = 1024 * 1024;

export interface Ground {
  readonly shop: Workshop;
  /** Key and self-signed certificate of localhost in one file. */
  readonly joint: string;
  readonly file: (name: string) => string;
  readonly read: (name: string) => string;
  /** A server with `joint` and a client of it. */
  readonly pair: (serverArgs?: readonly string[], clientArgs?: readonly string[]) => Promise<Pair>;
  /** The fingerprint of `<name>.key`, computed by OpenSSL. */
  readonly keyFingerprint: (name: string) => string;
}

export interface Pair {
  readonly server: Runner;
  readonly client: Runner;
}

/**
 * `localhost` signed by itself; `named` (named.test, 127.0.0.1) by the authority in the folder `authorities`, `ftp` (ftp.test) one
 * step further down; each with its key in `<name>.pem`.
 */
export function openGround(): Ground {
  const shop = openWorkshop();
  const read = (name: string) => readFileSync(shop.path(name), 'utf8');
  selfSigned(shop, 'localhost', ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']);
  const joint = shop.write('sst.pem', read('localhost.key') + read('localhost.crt'));
  threeSteps(shop);
  issued(shop, 'named', { by: 'root', extensions: 'subjectAltName=DNS:named.test,IP:127.0.0.1\n' });
  shop.write('named.pem', read('named.key') + read('named.crt'));
  shop.write('ftp.pem', read('ftp.key') + read('ftp.crt') + read('middle.crt'));
  mkdirSync(shop.path('authorities'));
  shop.write('authorities/root.crt', read('root.crt'));
  return {
    shop,
    joint,
    read,
    file: shop.path,
    pair: async (serverArgs = [], clientArgs = []) => {
      const { runner, port } = await listeningTunnel(['-C', joint, ...serverArgs]);
      return { server: runner, client: tunnel(['-p', port, ...clientArgs]) };
    },
    keyFingerprint: (name) => {
      shop.openssl(['pkey', '-in', `${name}.key`, '-pubout', '-outform', 'DER', '-out', `${name}.spki`]);
      const digest = shop.openssl(['dgst', '-sha256', '-r', `${name}.spki`]).slice(0, 64);
      return `SHA256:${Buffer.from(digest, 'hex').toString('base64').replace(/=+$/, '')}`;
    },
  };
}
