// Runs under Wine: the redirect layer of Windows, told over a connection what to do. Arguments: the port of the test, the DLL.
import net from 'node:net';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { toLoopSchema } from '../../../daemon/divert/windows/loop-messages.js';
import { WinDivertDiverter } from '../../../daemon/divert/windows/windivert-diverter.js';
import { parsePortRange, type PortRange } from '../../../shared/endpoint.js';
import { Fault } from '../../../shared/fault.js';
import { planSchema, requestSchema, type EngineAnswer } from '../windivert/protocol.js';

const [port = '', dll = ''] = process.argv.slice(2);

function range(text: string): PortRange {
  const parsed = parsePortRange(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

const diverter = new WinDivertDiverter({
  dll,
  ranges: {
    listen: [range('31100-31115'), range('31116-31131')],
    active: range('23300-24299'),
    virtual: [range('21210-22209'), range('22210-23209')],
    // Outside what the test's clients get from this kernel.
    upstream: range('61000-64999'),
  },
  hold: { note: 'C:\\ftp-is-refused.txt', onRefused: (fault) => refusals.push(fault.userMessage) },
});
const refusals: string[] = [];
const failed = new Promise<Fault>((resolve) => {
  diverter.onFailure(resolve);
});

async function perform(request: z.output<typeof requestSchema>): Promise<EngineAnswer> {
  switch (request.kind) {
    case 'apply': {
      const message = toLoopSchema.parse({
        kind: 'plan',
        plan: { ...planSchema.parse(request.plan), ownBy: 'port' },
      });
      if (message.kind === 'plan')
        await diverter.apply({ ...message.plan, onFailure: request.onFailure, forwarded: undefined });
      return refusals.length === 0 ? {} : { sentence: refusals.join(' ') };
    }
    case 'drain':
      await diverter.drain();
      return {};
    case 'clear':
      await diverter.clear();
      return {};
    case 'origin': {
      const origin = diverter.originOf(request);
      return origin === undefined ? {} : { origin };
    }
    case 'failure':
      return { sentence: (await failed).userMessage };
    case 'exit':
      return process.exit();
    case 'throw':
      setImmediate(() => {
        throw new Error('on demand');
      });
      return {};
  }
}

const socket = net.connect(Number(port), '127.0.0.1');
// The test is gone: so is this.
socket.on('close', () => process.exit());
createInterface(socket).on('line', (line) => {
  const request = requestSchema.parse(JSON.parse(line));
  void perform(request)
    .catch((error: unknown): EngineAnswer => {
      const fault = Fault.from(error);
      return { error: `${fault.code}: ${fault.userMessage}` };
    })
    .then((answer) => socket.write(`${JSON.stringify(answer)}\n`));
});
