// Runs scripts through libnftables inside this process, over one netlink socket that lives as long as the process. Tables
// with `flags owner` made here are removed by the kernel when the process ends, kill -9 included.
// `nft -i` on a pipe can do that too (tried with 1.0.6), but its only sign of success is silence, and it is one more process to watch.
import koffi from 'koffi';
import type { LibraryHandle } from 'koffi';
import { Fault } from '../../../shared/fault.js';
import { nftFault } from './nft-runner.js';
import type { NftRunner } from './nft-runner.js';

/**
 * The library that belongs to the program nft; `undefined` where it is not installed. Run one script through `nftCommand`
 * first: where the kernel has no netfilter at all, the library ends the whole process instead of returning.
 */
export function nftLibrary(): NftRunner | undefined {
  const library = load();
  if (library === undefined) return undefined;
  const create = library.func('void *nft_ctx_new(uint32_t flags)');
  const bufferErrors = library.func('int nft_ctx_buffer_error(void *ctx)');
  const errorsOf = library.func('const char *nft_ctx_get_error_buffer(void *ctx)');
  const execute = library.func('int nft_run_cmd_from_buffer(void *ctx, const char *script)');
  const context: unknown = create(0);
  if (context === null || bufferErrors(context) !== 0) return undefined;
  return {
    run(script: string): Promise<void> {
      const status: unknown = execute(context, script);
      if (status === 0) return Promise.resolve();
      const text: unknown = errorsOf(context);
      const fault =
        typeof text === 'string' ? nftFault(text) : new Fault('redirect', 'nftables failed silently.');
      return Promise.reject(fault);
    },
  };
}

function load(): LibraryHandle | undefined {
  try {
    return koffi.load('libnftables.so.1');
  } catch {
    return undefined;
  }
}
