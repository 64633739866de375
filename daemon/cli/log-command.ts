// `ftpseal log`: the last lines, and what comes.
import { formatLine } from '../sys/log-record.js';
import { visibleJson } from '../sys/visible.js';
import { print, type JsonOption } from './output.js';
import { connectDaemon, type DirOptions } from './paths.js';

export interface LogOptions extends DirOptions, JsonOption {
  readonly follow?: boolean;
  readonly lines: number;
}

export async function logCommand(options: LogOptions): Promise<void> {
  const client = await connectDaemon(options);
  const show = (line: string) => {
    print(options.json === true ? visibleJson(line) : formatLine(line));
  };
  try {
    // Lines that come before the answer is here belong after it.
    const early: string[] = [];
    let isEarly = true;
    client.on('log.line', ({ line }) => {
      if (isEarly) early.push(line);
      else show(line);
    });
    const { lines } = await client.request('log.tail', {
      lines: options.lines,
      follow: options.follow === true,
    });
    for (const line of [...lines, ...early]) show(line);
    isEarly = false;
    if (options.follow === true) await client.closed;
  } finally {
    client.close();
  }
}
