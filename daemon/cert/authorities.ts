// The authorities against which chains are checked: the machine's, and those that were named.
import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { readMachineAuthorities } from '../relay/machine-authorities.js';

/** All certificates in the machine's bundle (Node's own list where there is none) and in `more` (PEM). */
export function knownAuthorities(more: string | undefined): readonly X509Certificate[] {
  const machine = readMachineAuthorities() ?? tls.rootCertificates.join('\n');
  return certificatesIn(`${more ?? ''}\n${machine}`);
}

/** All certificates in PEM text that can be read; a damaged one in the machine's bundle is nobody's fault here. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}
