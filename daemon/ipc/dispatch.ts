// The table from method name to handler. Params and results pass their schema here and nowhere else.
import { z } from 'zod';
import { Fault } from '../../shared/fault.js';
import { ipcMethods, type IpcMethod, type IpcParams, type IpcResult } from '../../shared/ipc-messages.js';
import type { Channel, RequestHandler } from './channel.js';

/** One method's work. The caller is `channel.actor`; the handler alone decides what that allows. */
export type MethodHandler<M extends IpcMethod> = (
  params: IpcParams<M>,
  channel: Channel,
) => Promise<IpcResult<M>> | IpcResult<M>;

/** A handler for every method; a missing one does not compile. */
export type MethodTable = { readonly [M in IpcMethod]: MethodHandler<M> };

type Runner = (params: unknown, channel: Channel) => Promise<unknown>;

/** Makes the handler of a whole table. Unknown methods and wrong params are Faults of code `protocol`. */
export function dispatcher(table: MethodTable): RequestHandler {
  const runners = new Map<string, Runner>(Object.entries(bindAll(table)));
  return async (method, params, channel) => {
    const runner = runners.get(method);
    if (runner === undefined) throw new Fault('protocol', 'The daemon does not know this method.');
    return runner(params, channel);
  };
}

function bindAll(table: MethodTable): Readonly<Record<IpcMethod, Runner>> {
  return {
    status: bind(ipcMethods.status, table.status),
    'sessions.list': bind(ipcMethods['sessions.list'], table['sessions.list']),
    'sessions.watch': bind(ipcMethods['sessions.watch'], table['sessions.watch']),
    'sessions.close': bind(ipcMethods['sessions.close'], table['sessions.close']),
    'keys.list': bind(ipcMethods['keys.list'], table['keys.list']),
    'keys.find': bind(ipcMethods['keys.find'], table['keys.find']),
    'keys.add': bind(ipcMethods['keys.add'], table['keys.add']),
    'keys.remove': bind(ipcMethods['keys.remove'], table['keys.remove']),
    'keys.revoke': bind(ipcMethods['keys.revoke'], table['keys.revoke']),
    'keys.rename': bind(ipcMethods['keys.rename'], table['keys.rename']),
    'keys.export': bind(ipcMethods['keys.export'], table['keys.export']),
    'keys.import': bind(ipcMethods['keys.import'], table['keys.import']),
    'prompts.list': bind(ipcMethods['prompts.list'], table['prompts.list']),
    'prompts.watch': bind(ipcMethods['prompts.watch'], table['prompts.watch']),
    'prompts.answer': bind(ipcMethods['prompts.answer'], table['prompts.answer']),
    'prompts.hold': bind(ipcMethods['prompts.hold'], table['prompts.hold']),
    'history.list': bind(ipcMethods['history.list'], table['history.list']),
    'config.show': bind(ipcMethods['config.show'], table['config.show']),
    pause: bind(ipcMethods.pause, table.pause),
    resume: bind(ipcMethods.resume, table.resume),
    'log.tail': bind(ipcMethods['log.tail'], table['log.tail']),
    'agent.register': bind(ipcMethods['agent.register'], table['agent.register']),
  };
}

function bind<P extends z.ZodType, R extends z.ZodType>(
  spec: { readonly params: P; readonly result: R },
  handler: (params: z.output<P>, channel: Channel) => Promise<z.output<R>> | z.output<R>,
): Runner {
  return async (params, channel) => {
    const checked = spec.params.safeParse(params ?? {});
    if (!checked.success) throw new Fault('protocol', `Wrong parameters: ${z.prettifyError(checked.error)}`);
    return spec.result.parse(await handler(checked.data, channel));
  };
}
