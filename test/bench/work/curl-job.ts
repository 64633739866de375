// Work that curl does: one configuration file for each curl, all of them at the same time.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { login } from '../../lab/harness/account.js';
import type { Contender } from '../contenders/contender.js';
import { cpuSeconds } from '../process-tree.js';
import type { Field } from '../field.js';
import { drive } from './driver.js';

/** One transfer: a file that is fetched and thrown away, or a local file that is stored. */
export interface Transfer {
  readonly kind: 'get' | 'put';
  readonly remote: string;
  readonly local: string;
}

/** What a job took in all. */
export interface JobTimes {
  readonly seconds: number;
  /** CPU seconds of the proxy and of the client. */
  readonly proxyCpu: number | undefined;
  readonly clientCpu: number;
}

function configuration(contender: Contender, transfers: readonly Transfer[]): string {
  const lines = [
    'silent',
    'show-error',
    'fail-early',
    `user = "${contender.user}:${login.password}"`,
    'write-out = "%{size_download} %{size_upload}\\n"',
    ...(contender.tls ? ['ssl-reqd', 'insecure'] : []),
  ];
  for (const { kind, remote, local } of transfers) {
    lines.push(`url = "ftp://${contender.address}:${contender.port}/${remote}"`);
    lines.push(kind === 'get' ? `output = "${local}"` : `upload-file = "${local}"`);
  }
  return `${lines.join('\n')}\n`;
}

/** Runs one curl for each list of transfers and checks that `bytes` have moved in all. */
export async function curlJob(
  contender: Contender,
  field: Field,
  lists: readonly (readonly Transfer[])[],
  bytes: number,
): Promise<JobTimes> {
  const files = lists.map((transfers, index) => {
    const file = path.join(field.folder, `curl-${contender.name}-${index}.conf`);
    writeFileSync(file, configuration(contender, transfers), { mode: 0o644 });
    return file;
  });
  const { result, proxyCpu } = await withProxyCpu(contender, () =>
    drive(field, contender.namespace, 'curl', files),
  );
  if (result.bytes !== bytes)
    throw new Error(`${contender.name} moved ${result.bytes ?? 0} bytes of ${bytes}`);
  return { seconds: result.times[0] ?? 0, proxyCpu, clientCpu: result.cpu };
}

/** What the action gave, and the CPU seconds that the contender's proxy spent meanwhile. */
export async function withProxyCpu<T>(
  contender: Contender,
  action: () => Promise<T>,
): Promise<{ readonly result: T; readonly proxyCpu: number | undefined }> {
  const pid = contender.proxy?.pid();
  if (pid === undefined) return { result: await action(), proxyCpu: undefined };
  const before = await cpuSeconds(pid);
  const result = await action();
  return { result, proxyCpu: (await cpuSeconds(pid)) - before };
}
