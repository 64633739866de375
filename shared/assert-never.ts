// The end of every exhaustive switch.

/** Makes the compiler prove that a switch over a union handled every variant; reached at run time only by a bug. */
export function assertNever(value: never): never {
  throw new Error(`unhandled variant: ${JSON.stringify(value)}`);
}
