// Python's ftplib, by way of ftplib_client.py.
import path from 'node:path';
import { run } from '../harness/command.js';
import { repository } from '../harness/server.js';
import { isActive, isExtended, splitTranscript, workOf, type LabClient } from './client.js';

export const pythonFtplib: LabClient = {
  name: 'python-ftplib',
  cannot: {},
  obstacle: (mode, family) =>
    family === 6 && !isExtended(mode) ? 'PASV and PORT carry IPv4 addresses only' : undefined,
  perform: async (task) => {
    const order = JSON.stringify({
      ...task,
      active: isActive(task.mode),
      extended: isExtended(task.mode),
      work: workOf(pythonFtplib, task),
    });
    const place = { namespace: task.namespace, uid: task.uid, cwd: task.folder };
    const script = path.join(task.program, path.relative(repository, programSource));
    const finished = await run(place, ['/usr/bin/python3', '-u', script, order], { timeoutMs: 120_000 });
    const transcript = finished.stdout + finished.stderr;
    return { outputs: splitTranscript(finished.stdout), transcript };
  },
};

const programSource = path.join(repository, 'test/lab/clients/ftplib_client.py');
