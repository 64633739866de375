// `ftpseal status`: one screen.
import { EXIT } from '../../shared/fault.js';
import { healthOf, type Health } from '../../shared/health.js';
import type { Status } from '../../shared/ipc-messages.js';
import { formatAgo, show, type JsonOption } from './output.js';
import { connectDaemon, type DirOptions } from './paths.js';

export interface StatusOptions extends DirOptions, JsonOption {
  /** The exit code says how it is. */
  readonly check?: boolean;
}

const codeOf: Readonly<Record<Health, number>> = {
  ok: EXIT.done,
  attention: EXIT.attention,
  failed: EXIT.notSecuring,
};

/** Resolves with the exit code: without `check` 0 whenever the daemon answers. */
export async function statusCommand(options: StatusOptions): Promise<number> {
  const client = await connectDaemon(options);
  try {
    const status = await client.request('status', {});
    const health = healthOf(status);
    show({ health, ...status }, options, () => formatStatus(status, Date.now()));
    return options.check === true ? codeOf[health] : EXIT.done;
  } finally {
    client.close();
  }
}

export function formatStatus(status: Status, now: number): string {
  const { sessions, questions, workers, keysFolder } = status;
  const parts = [
    sessions.secured > 0 ? `${sessions.secured} secured` : '',
    sessions.cleartext > 0 ? `${sessions.cleartext} NOT ENCRYPTED` : '',
    sessions.other > 0 ? `${sessions.other} other` : '',
  ].filter((part) => part !== '');
  const alive = workers.filter((worker) => worker.alive).length;
  const lines = [
    `ftpseal ${status.version}, started ${formatAgo(status.startedAt, now)}, process ${status.pid}`,
    `Redirect   ${redirectText(status)}`,
    `Workers    ${alive} of ${workers.length} running`,
    `Sessions   ${sessions.total === 0 ? 'none' : `${sessions.total}: ${parts.join(', ')}`}`,
    `Questions  ${questions === 0 ? 'none' : `${questions} open; answer with: ftpseal prompts`}`,
    ...(keysFolder.keys > 0
      ? [`Keys       ${keysFolder.keys} by the administrator, in ${keysFolder.folder}`]
      : []),
    ...status.warnings.map((warning) => `Warning    ${warning}`),
  ];
  return lines.join('\n');
}

function redirectText({ redirect }: Status): string {
  switch (redirect.kind) {
    case 'active':
      return `on, port ${redirect.ports.join(', ')}`;
    case 'starting':
      return 'starting';
    case 'failed':
      return `FAILED: ${redirect.sentence}`;
    case 'none':
      return `none; explicit proxy at ${redirect.listen.join(', ')} (USER name@host)`;
  }
}
