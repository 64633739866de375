// A module hook for the model check only: the core's private fields become ordinary ones, so that two sessions can be compared
// field by field. Nothing else of the code changes. To be registered before the core is loaded.
import type { LoadHook } from 'node:module';

const CORE = /\/daemon\/(?:ftp|security)\/[^?]*\.js$/;

/** `#name` in the core's compiled files becomes `_$name`. No string in them may have such a form; the model check says so if one does. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (!CORE.test(url) || loaded.source === undefined) return loaded;
  const text =
    typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
  return { ...loaded, source: text.replace(/#(?=[A-Za-z])/g, '_$') };
};
