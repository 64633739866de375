// A server as the tray names it.
import { formatEndpoint } from '../../shared/endpoint.js';
import type { Connection } from '../../shared/trust.js';
import { cleanText } from './outside-text.js';

const maxServer = 40;

/** Its name, or its address; the port only where it is not 21. A long name keeps its end, where the domain is. */
export function serverText({ server, name }: Pick<Connection, 'server' | 'name'>): string {
  if (name === undefined) return server.port === 21 ? server.address : formatEndpoint(server);
  const clean = cleanText(name, 256);
  const short = clean.length > maxServer ? `…${clean.slice(-(maxServer - 1))}` : clean;
  return server.port === 21 ? short : `${short}:${server.port}`;
}
