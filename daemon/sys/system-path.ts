// Where root looks for the machine's programs: never where the caller's environment says.

export const SYSTEM_PATH = '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin';
