// The folder beside the configuration where the administrator puts keys for everybody. Alone, so that the supervisor loads no more.

export const KEYS_FOLDER = 'keys.d';
