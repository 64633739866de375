// Prints who may use each of the files that are named, in SDDL.
import { fileSecurity } from '../../../daemon/sys/windows/file-security.js';

const files = process.argv.slice(2);
process.stdout.write(JSON.stringify(files.map((file) => fileSecurity(file) ?? null)));
