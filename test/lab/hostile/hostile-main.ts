// A hostile server, or a hostile host in the middle, as a program. One argument: JSON with the port, the key, and the script for
// each address that is connected to; in the middle the connections are redirected here, and the genuine server is dialled.
import { connect, createServer, type Socket } from 'node:net';
import { z } from 'zod';
import { originalDestination } from '../../../daemon/sys/original-destination.js';
import { Player } from './player.js';
import { parseScript } from './script.js';

const optionsSchema = z.object({
  port: z.number(),
  middle: z.boolean(),
  key: z.string(),
  cert: z.string(),
  /** By the address in IPv4. */
  scripts: z.record(z.string(), z.string()),
});

const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? ''));
let count = 0;

createServer({ allowHalfOpen: true }, (client) => {
  count += 1;
  const number = count;
  const target = targetOf(client);
  const script = options.scripts[target.address];
  const report = (text: string): void => {
    console.log(`${number} ${target.address} ${text}`);
  };
  report(script === undefined ? 'no script' : 'began');
  const server = options.middle ? connect({ host: target.address, port: target.port }) : undefined;
  const player = new Player({ client, server, key: options.key, cert: options.cert, report });
  void player.play(parseScript(target.port === 21 ? (script ?? 'relay') : 'relay')).then(() => {
    report('over');
  });
}).listen(options.port, '::', () => {
  console.log('ready');
});

function targetOf(client: Socket): { readonly address: string; readonly port: number } {
  const original = options.middle ? originalDestination(client) : undefined;
  const address = original?.address ?? client.localAddress ?? '';
  return { address: address.replace(/^::ffff:/, ''), port: original?.port ?? options.port };
}
