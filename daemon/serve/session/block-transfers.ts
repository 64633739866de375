// Which transfers of a session of X-SafeTP1 go in blocks, and under which number: fixed with the command that asks for one, used when
// its data begins.
import type { ChannelId } from '../../ftp/events.js';
import type { ServerTransfer } from '../../security/safetp/server-channel.js';
import type { ServeEffect } from './events.js';

type Relay = Extract<ServeEffect, { readonly kind: 'relay' }>;

/** One session's, one transfer at a time. */
export class BlockTransfers {
  #asked: ServerTransfer | { readonly kind: 'abandoned' } | undefined;
  #running: { readonly channel: ChannelId; readonly direction: 'download' | 'upload' } | undefined;

  /** A transfer command is passed on. */
  onCommand(transfer: ServerTransfer): void {
    this.#asked = transfer;
  }

  /** The data of the transfer begins. Undefined if nobody can say how it goes: then it must not go at all. */
  begin(effect: Omit<Relay, 'protection'>): readonly ServeEffect[] | undefined {
    const asked = this.#asked;
    this.#asked = undefined;
    const { channel, direction } = effect;
    switch (asked?.kind) {
      case 'clear':
        return [{ ...effect, protection: 'clear' }];
      case 'blocks':
        this.#running = { channel, direction };
        return [
          { kind: 'useBlocks', channel, direction, blocks: asked },
          { ...effect, protection: 'private' },
        ];
      case 'abandoned':
        return [];
      case 'refused':
      case undefined:
        return undefined;
    }
  }

  /** ABOR: what the backend has sent by then ends like a file, but must not get the block that says so. */
  abort(): readonly ServeEffect[] {
    if (this.#asked !== undefined) this.#asked = { kind: 'abandoned' };
    const running = this.#running;
    this.#running = undefined;
    return running?.direction === 'download' ? [{ kind: 'discard', channel: running.channel }] : [];
  }

  onDiscarded(channel: ChannelId): void {
    if (this.#running?.channel === channel) this.#running = undefined;
  }
}
