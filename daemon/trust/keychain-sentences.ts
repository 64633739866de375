// What a person reads when the keychain that holds their keys can't be used: at the FTP program as one reply line, in the
// terminal and in the tray. Each fits into 300 ASCII characters.
import type { VaultKind } from '../../shared/agent-messages.js';

const kept = 'Your keys are in your keychain';

export const sentences = {
  noAgent: `${kept}, and no ftpseal tray runs that could open it. Nothing was sent. Start it in your desktop session with "ftpseal tray" and connect again.`,
  locked: `${kept}, and it is locked. Nothing was sent. Unlock it (your desktop's password program can) and connect again.`,
  absent: `${kept}, and no keychain runs in your desktop session. Nothing was sent. Start it (gnome-keyring or KWallet) and connect again.`,
  slow: `${kept}, and it does not answer. Nothing was sent. Perhaps a window waits for its password; answer that and connect again.`,
  nonsense: `${kept}, and what it gave could not be understood. Nothing was sent. Restart the ftpseal tray and connect again.`,
  notTaken:
    'Your keychain did not take the change, so nothing was changed or sent. Look whether it is locked, and try again.',
} as const;

/** The sentence for a keychain that the user's newest agent describes like this; undefined: there is no agent. */
export function sentenceFor(vault: VaultKind | undefined): string {
  switch (vault) {
    case undefined:
      return sentences.noAgent;
    case 'locked':
      return sentences.locked;
    case 'absent':
    case 'none':
      return sentences.absent;
    case 'slow':
    case 'ready':
      return sentences.slow;
  }
}
