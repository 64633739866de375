// The Unix socket: everybody may open it, and the kernel says who did (SO_PEERCRED).
import { connect, type Socket } from 'node:net';
import { peerCredentials } from '../sys/peer-credentials.js';
import { socketDescriptor } from '../sys/socket-descriptor.js';
import { listenOnPath } from './socket-path.js';
import type { IpcPeer, IpcTransport } from './transport.js';

export const unixTransport: IpcTransport = {
  listen: listenOnPath,
  identify: (socket) => Promise.resolve(peerOf(socket)),
  open: (path) =>
    new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(socket);
      });
    }),
};

function peerOf(socket: Socket): IpcPeer | undefined {
  const fd = socketDescriptor(socket);
  const peer = fd === undefined ? undefined : peerCredentials(fd);
  return peer === undefined ? undefined : { uid: peer.uid, isAdministrator: false };
}
