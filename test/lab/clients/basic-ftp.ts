// basic-ftp, the FTP client of many Node programs, by way of basic-ftp-program.ts.
import path from 'node:path';
import { run } from '../harness/command.js';
import { isActive, isExtended, splitTranscript, workOf, type LabClient } from './client.js';

export const basicFtp: LabClient = {
  name: 'basic-ftp',
  cannot: { nlst: 'basic-ftp lists with MLSD and LIST only', abort: 'basic-ftp has no ABOR: it hangs up' },
  obstacle: (mode, family) => {
    if (isActive(mode)) return 'basic-ftp has no active mode';
    return family === 6 && !isExtended(mode) ? 'PASV carries IPv4 addresses only' : undefined;
  },
  perform: async (task) => {
    const order = JSON.stringify({ ...task, extended: isExtended(task.mode), work: workOf(basicFtp, task) });
    const place = { namespace: task.namespace, uid: task.uid, cwd: task.folder };
    const script = path.join(task.program, 'dist/test/lab/clients/basic-ftp-program.js');
    const finished = await run(place, [process.execPath, script, order], { timeoutMs: 120_000 });
    const transcript = finished.stdout + finished.stderr;
    return { outputs: splitTranscript(finished.stdout), transcript };
  },
};
