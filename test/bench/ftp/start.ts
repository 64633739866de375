// The time from a daemon's start until it serves, redirect included.
import type { Work } from '../work.js';
import type { Contender } from './contender.js';
import type { FtpContext } from './ground.js';

export const startToReady: Work<Contender, FtpContext> = {
  metric: { name: 'start', title: 'start to ready', unit: 'ms', better: 'less', cpuPer: undefined },
  obstacle: ({ proxy }) => (proxy?.readyAfterMs === undefined ? 'nothing of it says when' : undefined),
  perform: async ({ proxy }) => {
    await proxy?.restart();
    const value = proxy?.readyAfterMs?.();
    if (value === undefined) throw new Error('it did not say that it is ready');
    return { value, cpu: undefined, clientCpu: undefined, raw: {} };
  },
};
