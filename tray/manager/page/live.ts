// Listens to the server. Every page does: for its banners, for open questions, and because a page that listens is a window
// that is open.
import type { LiveView } from '../wire.js';
import { isReply } from './api.js';

export interface LiveListener {
  readonly onView: (view: LiveView) => void;
  /** The server is away; the browser tries again by itself. */
  readonly onLost: () => void;
}

export function listen({ onView, onLost }: LiveListener): void {
  const source = new EventSource('/api/live');
  source.addEventListener('message', (event: MessageEvent<unknown>) => {
    const view: unknown = typeof event.data === 'string' ? JSON.parse(event.data) : undefined;
    if (isReply(view, 'live')) onView(view);
  });
  source.addEventListener('error', onLost);
  window.addEventListener('pagehide', () => {
    source.close();
  });
}
