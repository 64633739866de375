// Apart from the mechanism itself: who only asks whether it is this one need not load it.

/** The name in the configuration and behind AUTH. */
export const SAFETP_NAME = 'X-SafeTP1';
