// How a TLS stream that works on its socket directly came to its end, as far as it can be told without proof.
import type tls from 'node:tls';
import { endedByReset } from '../sys/socket-error.js';
import type { Ending } from './guarded-transport.js';

/** Watches the stream; what it gives is never `authenticated`, because here a close_notify looks like a bare FIN. */
export function watchEnding(stream: tls.TLSSocket): () => Ending {
  let ending: Ending = 'open';
  stream.once('end', () => {
    ending = endedByReset(stream) ? 'reset' : 'truncated';
  });
  stream.once('error', () => {
    ending = 'reset';
  });
  stream.once('close', () => {
    if (ending === 'open') ending = 'reset';
  });
  return () => ending;
}
