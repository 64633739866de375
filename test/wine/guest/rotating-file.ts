// Runs under Wine: writes 500 lines to a log of 1000 bytes, while others read it now and then. Argument: the file.
import { closeSync, openSync } from 'node:fs';
import { RotatingFile } from '../../../daemon/sys/rotating-file.js';

const file = process.argv[2] ?? '';
const log = new RotatingFile(file, { maxBytes: 1000, keep: 2 });
let reader: number | undefined;
for (let n = 0; n < 500; n++) {
  if (n % 50 === 0) reader = openSync(file, 'r');
  if (n % 50 === 40 && reader !== undefined) closeSync(reader);
  log.write(`line ${n}\n`);
}
log.close();
process.stdout.write('{}');
