// How nft scripts reach the kernel: the contract of the two ways (the nft program, libnftables), and what their
// error texts mean for people.
import { readFileSync } from 'node:fs';
import { Fault } from '../../../shared/fault.js';

/** Brings nft scripts into force. Each script is one transaction: all of it or none. */
export interface NftRunner {
  /** Rejects with a Fault of code `redirect`, `missing-tool` or `not-permitted`. */
  run(script: string): Promise<void>;
}

/** nft's error text as a sentence for people; the text itself stays attached as the cause. */
export function nftFault(text: string): Fault {
  const cause = new Error(text.trim());
  if (text.includes('Operation not permitted')) return notPermitted(cause);
  if (kernelLacks.test(text)) {
    return new Fault(
      'missing-tool',
      'This kernel lacks nftables or its NAT support (nf_tables, nft_chain_nat, nft_redir, nft_fib_inet, nft_reject_inet), so connections can’t be redirected.',
      cause,
    );
  }
  const [first = 'no message'] = text.trim().split('\n');
  return new Fault('redirect', `nftables refused the redirect rules: ${first}`, cause);
}

const kernelLacks =
  /Unable to initialize Netlink socket|Protocol not supported|Operation not supported|Could not process rule: No such file or directory/;

// The kernel says the same for "you may not" and for "that table belongs to a running process".
function notPermitted(cause: Error): Fault {
  return hasNetAdmin()
    ? new Fault(
        'redirect',
        'Another running ftpseal daemon holds the redirect rules of this network namespace; stop it first.',
        cause,
      )
    : new Fault(
        'not-permitted',
        'Changing the machine’s redirect rules is not permitted: run ftpseal as root, or with the capability CAP_NET_ADMIN.',
        cause,
      );
}

/** Whether this process may change network settings of its namespace, as far as capabilities tell. */
export function hasNetAdmin(): boolean {
  const CAP_NET_ADMIN = 12n;
  const match = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return match?.[1] !== undefined && ((BigInt(`0x${match[1]}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}
