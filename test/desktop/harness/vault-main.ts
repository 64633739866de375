// The keychain of whoever runs this, driven line by line: JSON requests on standard input, JSON answers on standard output.
//   vault-main.js        each line: {"id":1,"do":"state"|"read"|"write", …}
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { agentMethods } from '../../../shared/agent-messages.js';
import { Fault } from '../../../shared/fault.js';
import { openVault } from '../../../tray/keychain/open-vault.js';

const requestSchema = z.discriminatedUnion('do', [
  z.object({ id: z.number(), do: z.literal('state') }),
  z.object({ id: z.number(), do: z.literal('read'), from: z.number() }),
  z.object({ id: z.number(), do: z.literal('write'), change: agentMethods['vault.write'].params }),
]);

const vault = openVault();
if (vault === undefined) throw new Error('no keychain on this operating system');

for await (const line of createInterface(process.stdin)) {
  const request = requestSchema.parse(JSON.parse(line));
  void answer(request).then((result) => {
    process.stdout.write(`${JSON.stringify({ id: request.id, ...result })}\n`);
  });
}
vault.close();

async function answer(request: z.infer<typeof requestSchema>): Promise<object> {
  if (vault === undefined) return {};
  try {
    switch (request.do) {
      case 'state':
        return { result: vault.state };
      case 'read':
        return { result: await vault.read(request.from) };
      case 'write':
        await vault.write(request.change);
        return { result: {} };
    }
  } catch (error) {
    return { error: Fault.from(error).userMessage };
  }
}
