// The transfer of one big file, by curl or by the measuring script.
import type { Contender } from './contender.js';
import { curlJob, type Transfer } from './curl-job.js';
import { drive, sessionArguments } from './driver.js';
import type { FtpContext } from './ground.js';
import { checkBytes, withCpu, type JobTimes } from './job.js';

/** Carries the transfer out and checks that the whole file has moved. */
export async function bulkJob(
  contender: Contender,
  { ground, sizes, bulk }: FtpContext,
  transfer: Transfer,
): Promise<JobTimes> {
  if (bulk === 'curl') return curlJob(contender, ground, transfer, sizes.bulkBytes);
  const local = transfer.kind === 'put' ? ['--local', transfer.local] : [];
  const args = [...sessionArguments(contender, 1), '--remote', transfer.remote, ...local];
  const { result, ownCpu } = await withCpu(contender, () => drive(ground, contender.namespace, 'bulk', args));
  checkBytes(contender, result, sizes.bulkBytes);
  return { seconds: result.times[0] ?? 0, ownCpu, clientCpu: result.cpu };
}
