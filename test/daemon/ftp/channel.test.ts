import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  channelReply,
  isOwnDataPort,
  newChannel,
  upstreamNamedBy,
  type ClientSide,
} from '../../../daemon/ftp/channel.js';
import type { ChannelId } from '../../../daemon/ftp/events.js';
import { formatEndpoint, parseEndpoint, type Endpoint } from '../../../shared/endpoint.js';

const at = (text: string): Endpoint => parseEndpoint(text)!;
const SERVER = at('192.0.2.1:21');

describe('where a server listens', () => {
  const cases: readonly (readonly ['EPSV' | 'PASV', string, boolean, string | undefined])[] = [
    ['PASV', '227 (192,0,2,1,15,160)', false, '192.0.2.1:4000'],
    ['PASV', '227 (127,0,0,1,15,160)', false, '192.0.2.1:4000'],
    ['PASV', '227 (198,51,100,9,15,160)', true, '198.51.100.9:4000'],
    ['PASV', '227 (192,0,2,1,0,22)', false, undefined],
    ['PASV', '229 (|||4000|)', false, undefined],
    ['PASV', '200 (192,0,2,1,15,160)', false, undefined],
    ['EPSV', '229 (|||4000|)', true, '192.0.2.1:4000'],
    ['EPSV', '229 (|||22|)', false, undefined],
    ['EPSV', '227 (192,0,2,1,15,160)', false, undefined],
  ];
  for (const [form, text, foreign, expected] of cases) {
    it(`${form}: ${text}${foreign ? ', foreign addresses allowed' : ''}`, () => {
      const reply = { code: Number(text.slice(0, 3)), lines: [text], raw: Buffer.from(text) };
      const named = upstreamNamedBy(form, reply, SERVER, foreign);
      assert.equal(named === undefined ? undefined : formatEndpoint(named), expected);
    });
  }
});

it('the reply to each form', () => {
  const reply = (client: ClientSide): string => {
    const channel = newChannel(1 as ChannelId, client);
    if (client.kind === 'passive') channel.offered = at('192.0.2.1:4000');
    return channelReply(channel, '200 fine').toString();
  };
  assert.equal(reply({ kind: 'passive', form: 'PASV' }), '227 Entering Passive Mode (192,0,2,1,15,160).\r\n');
  assert.equal(reply({ kind: 'passive', form: 'EPSV' }), '229 Entering Extended Passive Mode (|||4000|)\r\n');
  assert.equal(
    reply({ kind: 'passive', form: 'LPSV' }),
    '228 Entering Long Passive Mode (4,4,192,0,2,1,2,15,160)\r\n',
  );
  assert.equal(reply({ kind: 'active', to: at('192.0.2.100:5000') }), '200 fine\r\n');
});

it("a client's own data port", () => {
  const client = at('192.0.2.100:40000');
  assert.equal(isOwnDataPort(client, at('192.0.2.100:1024')), true);
  assert.equal(isOwnDataPort(client, at('192.0.2.100:1023')), false);
  assert.equal(isOwnDataPort(client, at('192.0.2.99:5000')), false);
});
