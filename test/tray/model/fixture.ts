// States of the daemon, written by hand.
import { parseIpAddress, parsePort, type Endpoint } from '../../../shared/endpoint.js';
import type { QuestionView, SessionView, Status } from '../../../shared/ipc-messages.js';
import type { AgentState } from '../../../tray/agent-state.js';
import type { MenuEntry, TrayView } from '../../../tray/model/tray-view.js';

export function endpoint(address: string, port = 21): Endpoint {
  const parsed = { address: parseIpAddress(address), port: parsePort(port) };
  if (parsed.address === undefined || parsed.port === undefined) throw new Error(`${address}:${port}`);
  return { address: parsed.address, port: parsed.port };
}

export function session(
  id: string,
  fields: Partial<SessionView['state']> & { readonly name?: string; readonly address?: string } = {},
): SessionView {
  const { name, address = '192.0.2.1', ...state } = fields;
  const server = endpoint(address);
  return {
    state: {
      id,
      connection: {
        server,
        client: endpoint('10.0.0.2', 40000),
        uid: 1000,
        ...(name === undefined ? {} : { name }),
      },
      startedAt: 1000,
      phase: 'secured',
      protection: 'secured',
      data: 'private',
      bytesUp: 0,
      bytesDown: 0,
      transfers: 0,
      ...state,
    },
    program: 'curl',
  };
}

export function question(id: string, fields: Partial<QuestionView> = {}): QuestionView {
  return {
    id,
    owner: { kind: 'user', uid: 1000 },
    connection: {
      server: endpoint('192.0.2.7'),
      client: endpoint('10.0.0.2', 40000),
      name: 'files.example.com',
      uid: 1000,
    },
    question: {
      kind: 'key',
      identity: {
        mechanism: 'TLS',
        fingerprint: `SHA256:${'a'.repeat(42)}Y`,
        protocol: 'TLSv1.3',
        cipher: 'TLS_AES_256_GCM_SHA384',
      },
    },
    concern: { kind: 'new', revoked: [] },
    why: 'This server is new: its key was never seen here.',
    program: 'curl',
    openedAt: 1000,
    waiting: 1,
    refused: 0,
    ...fields,
  };
}

export function status(fields: Partial<Status> = {}): Status {
  return {
    version: '1',
    pid: 1,
    mode: 'redirect',
    startedAt: 0,
    redirect: { kind: 'active', ports: [] },
    workers: [],
    sessions: { total: 0, secured: 0, cleartext: 0, other: 0 },
    questions: 0,
    keysFolder: { folder: '/etc/ftpseal/keys.d', keys: 0, troubles: [] },
    warnings: [],
    ...fields,
  };
}

export function agentState(fields: Partial<AgentState> = {}): AgentState {
  return {
    daemon: { kind: 'connected' },
    vault: { kind: 'ready' },
    status: status(),
    sessions: [],
    questions: [],
    ...fields,
  };
}

/** The view as a person would describe it. */
export function viewText({ icon, tooltip, menu }: TrayView): string {
  const look = icon.kind === 'question' ? `question ${icon.count}` : icon.kind;
  return [`(${look})`, ...tooltip.split('\n').map((line) => `| ${line}`), ...menu.map(entryText)].join('\n');
}

function entryText(entry: MenuEntry): string {
  switch (entry.kind) {
    case 'separator':
      return '---';
    case 'line':
      return `  ${entry.text}`;
    case 'check':
      return `[${entry.checked ? 'x' : ' '}] ${entry.text} <${entry.action.kind}>`;
    case 'action':
      return `${entry.mark === undefined ? '' : `${entry.mark} `}${entry.text} <${entry.action.kind}>`;
  }
}
