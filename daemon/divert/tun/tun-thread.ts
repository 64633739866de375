// The entry of the thread that runs the packet loop over a TUN device.
import { MessagePort, parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { Fault } from '../../../shared/fault.js';
import { serveLoop } from '../windows/loop-thread.js';
import { TunSource } from './tun-source.js';

const fd = z.number().int().min(0);

export const tunThreadSchema = z.object({
  files: z.object({ tun: fd, wakeup: fd, raw4: fd, raw6: fd }).readonly(),
  port: z.instanceof(MessagePort),
});

if (parentPort === null) throw new Fault('internal', 'this file runs as a worker thread only');
const { files, port } = tunThreadSchema.parse(workerData);
serveLoop(new TunSource(files), port);
port.close();
