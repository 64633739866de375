// The surroundings of a session in the compliance suite: those of the transcripts.
export { DEFAULT_CONTEXT } from '../transcripts/scenario.js';
export { endpoint } from '../transcripts/notation.js';
