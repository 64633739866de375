// The transfer of one big file with curl.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { login } from '../../lab/harness/account.js';
import type { Contender } from '../contenders/contender.js';
import type { Field } from '../field.js';
import { drive } from './driver.js';
import { checkBytes, withProxyCpu, type JobTimes } from './job.js';

/** A file that is fetched and thrown away, or a local file that is stored. */
export type Transfer =
  | { readonly kind: 'get'; readonly remote: string }
  | { readonly kind: 'put'; readonly remote: string; readonly local: string };

function configuration(contender: Contender, transfer: Transfer): string {
  const lines = [
    'silent',
    'show-error',
    `user = "${contender.user}:${login.password}"`,
    'write-out = "%{size_download} %{size_upload} %{time_total} %{time_pretransfer}"',
    ...(contender.tls ? ['ssl-reqd', 'insecure'] : []),
    `url = "ftp://${contender.address}:${contender.port}/${transfer.remote}"`,
    transfer.kind === 'get' ? 'output = "/dev/null"' : `upload-file = "${transfer.local}"`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Carries the transfer out and checks that `bytes` have moved. */
export async function curlJob(
  contender: Contender,
  field: Field,
  transfer: Transfer,
  bytes: number,
): Promise<JobTimes> {
  const file = path.join(field.folder, `curl-${contender.name}.conf`);
  writeFileSync(file, configuration(contender, transfer), { mode: 0o644 });
  const { result, proxyCpu } = await withProxyCpu(contender, () =>
    drive(field, contender.namespace, 'curl', [file]),
  );
  checkBytes(contender, result, bytes);
  return { seconds: result.times[0] ?? 0, proxyCpu, clientCpu: result.cpu };
}
