// An authority for clients, and one client's certificate with its key, made by openssl.
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { clientUid } from '../harness/account.js';
import { must } from '../harness/command.js';
import type { Lab } from '../harness/lab.js';

export interface ClientAuthority {
  readonly certificate: string;
  /** One file with a client's certificate and key. */
  readonly client: string;
}

export async function makeClientAuthority(lab: Lab, name: string): Promise<ClientAuthority> {
  const at = (ending: string): string => path.join(lab.folder, `${name}.${ending}`);
  const fresh = ['-newkey', 'rsa:2048', '-nodes', '-days', '30'];
  await must({}, [
    'openssl',
    'req',
    '-x509',
    ...fresh,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-subj',
    `/CN=${name}`,
  ]);
  await must({}, [
    'openssl',
    'req',
    ...fresh.slice(0, 3),
    '-keyout',
    at('key'),
    '-out',
    at('csr'),
    '-subj',
    `/CN=client of ${name}`,
  ]);
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '30'];
  await must({}, ['openssl', 'x509', '-req', '-in', at('csr'), '-out', at('crt'), ...signing]);
  const client = at('client.pem');
  writeFileSync(client, readFileSync(at('crt'), 'utf8') + readFileSync(at('key'), 'utf8'), { mode: 0o600 });
  chownSync(client, clientUid, clientUid);
  return { certificate: at('ca.pem'), client };
}
