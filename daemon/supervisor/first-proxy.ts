// The first proxy is started before this process has loaded what it needs itself: both load at the same time. Imports little for that.
import { ProxyChild } from './proxy-child.js';
import { supervisorGround } from './system-ground.js';
import type { GroundOptions, SupervisorGround } from './supervisor-ground.js';

export interface FirstProxy {
  readonly ground: SupervisorGround;
  /** Waits for its `start`, which must not be sent before the ground's lock is taken. */
  readonly child: ProxyChild;
}

/** Does `work` with a proxy that loads meanwhile, and kills what is left of it afterwards. Rejects with a Fault where the ground is not there. */
export async function withFirstProxy<T>(
  options: GroundOptions,
  work: (first: FirstProxy) => Promise<T>,
): Promise<T> {
  const ground = await supervisorGround(options);
  const child = new ProxyChild(ground.command);
  try {
    return await work({ ground, child });
  } finally {
    child.kill('SIGKILL');
    await child.ended;
  }
}
