// Runs scripts through the program nft: `nft -f -`. What it makes outlives this process.
import { spawn } from 'node:child_process';
import { Fault } from '../../../shared/fault.js';
import { SYSTEM_PATH } from '../../sys/system-path.js';
import { nftFault } from './nft-runner.js';
import type { NftRunner } from './nft-runner.js';

/** Changes of thousands of rules take a second; one that takes this long hangs, and the next in line waits for it. */
const NFT_MS = 20_000;

// Not the caller's environment: this runs as root.
const environment = { PATH: SYSTEM_PATH, LC_ALL: 'C' };

/** Scripts by way of the program `program`, looked up in the system's own folders. */
export function nftCommand(program = 'nft'): NftRunner {
  return { run: (script) => runScript(program, script) };
}

function runScript(program: string, script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['-f', '-'], {
      env: environment,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: NFT_MS,
      killSignal: 'SIGKILL',
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(0, 8192);
    });
    child.once('error', (error) => {
      reject(cannotRun(error));
    });
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(nftFault(errors === '' ? `nft ended with ${signal ?? code ?? 'no status'}` : errors));
    });
    // nft may end before it has read everything; why it did is in its status, not in EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(script);
  });
}

function cannotRun(error: Error): Fault {
  const code = 'code' in error ? error.code : undefined;
  return code === 'ENOENT'
    ? new Fault(
        'missing-tool',
        'The program nft is not installed, so connections can’t be redirected: install the package nftables.',
        error,
      )
    : new Fault('redirect', `The program nft can’t be started: ${error.message}`, error);
}
