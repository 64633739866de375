// A module hook for the model check only: the core's private fields become ordinary ones, so that two sessions can be compared
// field by field, and X-SafeTP1 is a stand-in without cryptography. Nothing else of the code changes. To be registered before the core is loaded.
import type { LoadHook } from 'node:module';

const SAFETP = '/daemon/security/safetp.js';
const CORE = /\/daemon\/(?:ftp|security)\/[^?]*\.js$/;

/** `#name` in the core's compiled files becomes `_$name`. No string in them may have such a form; the model check says so if one does. */
export const load: LoadHook = async (url, context, nextLoad) => {
  if (url.endsWith(SAFETP)) {
    const standIn = JSON.stringify(new URL('./stand-in-safetp.js', import.meta.url).href);
    return { format: 'module', source: `export * from ${standIn};`, shortCircuit: true };
  }
  const loaded = await nextLoad(url, context);
  if (!CORE.test(url) || loaded.source === undefined) return loaded;
  const text =
    typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
  return { ...loaded, source: text.replace(/#(?=[A-Za-z])/g, '_$') };
};
