// Which source of names this system has.
import type { NameSource } from './address-names.js';
import { ResolvedMonitor, type MonitorOptions } from './resolved-monitor.js';
import { openDnsCache } from './windows-dns-calls.js';
import { WindowsDnsCache } from './windows-dns-cache.js';

/** Undefined where there is none. */
export function nameSource(options: MonitorOptions): NameSource | undefined {
  const { note, now } = options;
  switch (process.platform) {
    case 'linux':
      return new ResolvedMonitor(options);
    case 'win32':
      return new WindowsDnsCache({ open: openDnsCache, note, now });
    default:
      return undefined;
  }
}
