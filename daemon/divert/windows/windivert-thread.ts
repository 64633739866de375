// The entry of the thread that runs the packet loop over WinDivert.
import { MessagePort, parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { Fault } from '../../../shared/fault.js';
import { serveLoop } from './loop-thread.js';
import { loadWinDivert } from './windivert.js';
import { WinDivertSource } from './windivert-source.js';

const threadSchema = z.object({
  dll: z.string(),
  handle: z.union([z.number(), z.bigint()]),
  port: z.instanceof(MessagePort),
});

if (parentPort === null) throw new Fault('internal', 'this file runs as a worker thread only');
const { dll, handle, port } = threadSchema.parse(workerData);
serveLoop(new WinDivertSource(loadWinDivert(dll), handle), port);
port.close();
