// How the supervisor tells what it does: one function that its caller gives, so that the root process needs no logger.

export type SupervisorLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, string | number | boolean>>,
) => void;
