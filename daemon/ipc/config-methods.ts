// The IPC method that shows the configuration in force. It is the machine's policy and no secret: every user lives under it.
import type { ConfigView } from '../../shared/ipc-messages.js';
import type { MethodTable } from './dispatch.js';

export function configMethods(view: ConfigView): Pick<MethodTable, 'config.show'> {
  return { 'config.show': () => view };
}
