// The whole matrix once more over the packet engine of Windows, fed by a TUN device. Its files are smaller: vsftpd sends the one that is
// aborted to its end in spite of ABOR, and the engine takes longer for 400 MB, three at once, than a client gets to show that it lives.
import { matrixSuite } from './matrix-suite.js';

matrixSuite({
  layer: 'tun',
  hugeBytes: 10_000_000,
  longBytes: 200_000_000,
  atOnce: 2,
  table: 'matrix-tun.txt',
  title: ({ name, setup }) => `${name} through the packet engine of Windows (${setup})`,
});
