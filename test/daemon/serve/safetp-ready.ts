// Sessions of the server proxy with X-SafeTP1 that are past the way there.
import assert from 'node:assert/strict';
import { isDigestReply } from '../../../daemon/security/safetp/transcript.js';
import { SafetpWorld, type WorldSettings } from './safetp-world.js';

/** Inside the protection; nobody is logged in. */
export function secured(settings: WorldSettings = {}): SafetpWorld {
  const world = new SafetpWorld(settings).secure();
  assert.equal(world.clientState, 'secured', world.wire.toString());
  return world;
}

/** Secured, logged in, with data protected and a port for it. */
export function ready(level = 'P', settings: WorldSettings = {}): SafetpWorld {
  const world = secured(settings);
  for (const line of ['DIGT', 'PBSZ 4096', `PROT ${level}`, 'USER bo', 'PASS x', 'EPSV'])
    assert.match(world.ask(line).join(), /^[23]/, line);
  return world;
}

/** The digest that the server has, against what the client says was said. */
export function digestHolds(world: SafetpWorld): boolean {
  const [reply = ''] = world.ask('DIGT');
  return isDigestReply(reply, world.secured?.digest ?? Buffer.alloc(0));
}
