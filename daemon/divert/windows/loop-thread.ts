// What every packet loop's thread does, whatever its source: the engine between the port and the source.
import { receiveMessageOnPort } from 'node:worker_threads';
import { socketOwner } from '../../sys/socket-owner.js';
import { toLoopSchema } from './loop-messages.js';
import { runPacketLoop } from './packet-loop.js';
import { Reflection } from './reflection.js';
import { Rules } from './rules.js';
import type { MessagePort } from 'node:worker_threads';
import type { FromLoop, ToLoop } from './loop-messages.js';
import type { PacketSource } from './packet-source.js';
import type { Opened } from './reflection.js';

/** Runs the loop until it is told to stop; the caller closes the source. Blocks this thread. */
export function serveLoop(source: PacketSource, port: MessagePort, ownerOf = socketOwner): void {
  const tell = (message: FromLoop): void => {
    port.postMessage(message);
  };
  const reflection = new Reflection({
    ownerOf,
    onOpened: (connection) => {
      tell(announcement(connection));
    },
    onClosed: (id) => {
      tell({ kind: 'closed', id });
    },
  });
  runPacketLoop({
    source,
    reflection,
    obey: () => obey(port, reflection),
    now: () => performance.now(),
  });
}

function announcement({ uid, ...connection }: Opened): FromLoop {
  return { kind: 'opened', ...connection, ...(uid === undefined ? {} : { uid }) };
}

function obey(port: MessagePort, reflection: Reflection): 'go-on' | 'stop' {
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (received === undefined) return 'go-on';
    const message = toLoopSchema.parse(received.message);
    if (message.kind === 'stop') return 'stop';
    follow(message, reflection);
  }
}

function follow(message: Exclude<ToLoop, { readonly kind: 'stop' }>, reflection: Reflection): void {
  switch (message.kind) {
    case 'plan':
      reflection.setRules(new Rules(message.plan));
      return;
    case 'pin':
      reflection.pin(message.id);
      return;
    case 'drain':
      reflection.drain();
      return;
    case 'refuseUnknown':
      reflection.refuseUnknown();
  }
}
