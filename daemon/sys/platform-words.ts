// What people are told to do differs between operating systems; the words for it.

const isWindows = process.platform === 'win32';

/** A sentence. */
export const howToStart = isWindows
  ? 'Start the service “ftpseal” (in Services, or as an administrator: ftpseal service start).'
  : 'Start it with: sudo ftpseal daemon';
