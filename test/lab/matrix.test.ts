// The main job: every plain client through ftpseal to every server, every way, and nothing readable on the wire (the
// issue's Show 1 and 2). The table goes to the test output and to .lab/matrix.txt.
import { matrixSuite } from './matrix-suite.js';

matrixSuite({
  layer: undefined,
  hugeBytes: 300_000_000,
  longBytes: 1_000_000_000,
  atOnce: 3,
  table: 'matrix.txt',
  title: ({ name, setup }) => `${name} through ftpseal (${setup})`,
});
