// The transfer of one big file with curl.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { login } from '../../lab/harness/account.js';
import type { Contender, Protection } from './contender.js';
import { drive } from './driver.js';
import type { Ground } from './ground.js';
import { checkBytes, withCpu, type JobTimes } from './job.js';

/** A file that is fetched and thrown away, or a local file that is stored. */
export type Transfer =
  | { readonly kind: 'get'; readonly remote: string }
  | { readonly kind: 'put'; readonly remote: string; readonly local: string };

/** What curl has to do and say, by protection. */
const protecting: Readonly<Record<Protection, readonly string[]>> = {
  none: [],
  explicit: ['ssl-reqd', 'insecure'],
  wrapped: ['ssl-reqd', 'insecure'],
  relayed: ['quote = "PBSZ 0"', 'quote = "PROT P"'],
};

function configuration(contender: Contender, transfer: Transfer): string {
  const lines = [
    'silent',
    'show-error',
    `user = "${contender.user}:${login.password}"`,
    'write-out = "%{size_download} %{size_upload} %{time_total} %{time_pretransfer}"',
    ...protecting[contender.protection],
    `url = "ftp://${contender.address}:${contender.port}/${transfer.remote}"`,
    transfer.kind === 'get' ? 'output = "/dev/null"' : `upload-file = "${transfer.local}"`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Carries the transfer out and checks that `bytes` have moved. */
export async function curlJob(
  contender: Contender,
  ground: Ground,
  transfer: Transfer,
  bytes: number,
): Promise<JobTimes> {
  const file = path.join(ground.folder, `curl-${contender.name}.conf`);
  writeFileSync(file, configuration(contender, transfer), { mode: 0o644 });
  const { result, ownCpu } = await withCpu(contender, () =>
    drive(ground, contender.namespace, 'curl', [file]),
  );
  checkBytes(contender, result, bytes);
  return { seconds: result.times[0] ?? 0, ownCpu, clientCpu: result.cpu };
}
