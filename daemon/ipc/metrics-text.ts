// The numbers of a daemon in the text form that Prometheus reads (exposition format 0.0.4). Pure.
import type { Status } from '../../shared/ipc-messages.js';
import { healthOf } from '../../shared/health.js';
import type { Counts } from '../proxy/counters.js';

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** By its labels, written out; '' for none. */
  readonly values: Readonly<Record<string, number>>;
}

/** `status` is the machine's as a whole. Counts only: no server, user or program is named. */
export function metricsText(status: Status, counts: Counts): string {
  return metricsOf(status, counts).map(formatMetric).join('');
}

function metricsOf(status: Status, counts: Counts): readonly Metric[] {
  const { sessions, workers, keysFolder, version, startedAt } = status;
  const gauge = (name: string, help: string, values: Metric['values']): Metric => ({
    name,
    type: 'gauge',
    help,
    values,
  });
  const counter = (name: string, help: string, values: Metric['values']): Metric => ({
    name,
    type: 'counter',
    help,
    values,
  });
  const alive = workers.filter((worker) => worker.alive).length;
  const { secured, cleartext, refused, bytesUp, bytesDown, workersLost } = counts;
  return [
    gauge('ftpseal_info', 'Always 1; the label says which version runs.', { [label('version', version)]: 1 }),
    gauge('ftpseal_start_time_seconds', 'When the proxy started, in seconds since 1970.', {
      '': startedAt / 1000,
    }),
    gauge('ftpseal_securing', 'Whether new connections are secured now (1) or not (0).', {
      '': healthOf(status) === 'failed' ? 0 : 1,
    }),
    gauge('ftpseal_warnings', 'Warnings in ftpseal status.', { '': status.warnings.length }),
    gauge('ftpseal_workers', 'Worker threads.', {
      [label('state', 'running')]: alive,
      [label('state', 'missing')]: workers.length - alive,
    }),
    gauge('ftpseal_sessions', 'Sessions that run now.', {
      [label('protection', 'secured')]: sessions.secured,
      [label('protection', 'cleartext')]: sessions.cleartext,
      [label('protection', 'other')]: sessions.other,
    }),
    gauge('ftpseal_questions', 'Questions that wait for an answer.', { '': status.questions }),
    gauge('ftpseal_administrator_keys', 'Keys that the administrator gives in keys.d.', {
      '': keysFolder.keys,
    }),
    gauge('ftpseal_administrator_key_troubles', 'What is wrong in keys.d.', {
      '': keysFolder.troubles.length,
    }),
    counter('ftpseal_sessions_total', 'Sessions that were secured, or went on without encryption.', {
      [label('protection', 'secured')]: secured,
      [label('protection', 'cleartext')]: cleartext,
    }),
    counter('ftpseal_refusals_total', 'Sessions that were refused because of a key or missing encryption.', {
      '': refused,
    }),
    counter('ftpseal_transferred_bytes_total', 'Bytes of files and listings.', {
      [label('direction', 'up')]: bytesUp,
      [label('direction', 'down')]: bytesDown,
    }),
    counter('ftpseal_workers_lost_total', 'Worker threads that died and were replaced.', { '': workersLost }),
  ];
}

function formatMetric({ name, type, help, values }: Metric): string {
  const lines = Object.entries(values).map(([labels, value]) => `${name}${labels} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

function label(name: string, value: string): string {
  return `{${name}="${value.replace(/[\\"\n]/g, '_')}"}`;
}
