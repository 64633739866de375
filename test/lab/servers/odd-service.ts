// Services at port 21 that are no FTP servers, and FTP servers that behave oddly in a scripted way.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repository, type ServerKind } from '../harness/server.js';

/** What it says first, how it answers each verb, and at which verbs it hangs up. Without an answer it echoes. */
export interface OddBehaviour {
  readonly banner: string;
  readonly answers?: Readonly<Record<string, string>>;
  readonly otherwise?: string;
  readonly hangUpOn?: readonly string[];
}

/** A service with this behaviour; what it hears is its log, `<connection> <line>`. */
export function oddService(name: string, behaviour: OddBehaviour): ServerKind {
  return {
    name,
    setup: 'scripted',
    secured: false,
    mlsd: false,
    greeting: behaviour.banner.slice(0, 3),
    prepare: ({ address }) => {
      const program = readFileSync(path.join(repository, 'test/lab/servers/odd_service.py'), 'utf8');
      return ['/usr/bin/python3', '-c', program, JSON.stringify({ ...behaviour, address })];
    },
  };
}
