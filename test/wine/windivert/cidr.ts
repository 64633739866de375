// Blocks of addresses as the stand-in for Windows' filters writes them: `c0000200&ffffff00`, or 32 digits, `/` and a prefix.
import { BlockList } from 'node:net';

export function parseCidr(written: string): BlockList {
  const block = new BlockList();
  const [address = '', mask = ''] = written.split('&');
  if (mask !== '') {
    const text = Buffer.from(address, 'hex').join('.');
    const ones = Number.parseInt(mask, 16).toString(2).replace(/0+$/, '');
    if (ones.includes('0')) throw new Error(`${mask} is no mask`);
    block.addSubnet(text, mask === '00000000' ? 0 : ones.length, 'ipv4');
  } else {
    const [digits = '', prefix = ''] = written.split('/');
    block.addSubnet((digits.match(/.{4}/g) ?? []).join(':'), Number(prefix), 'ipv6');
  }
  return block;
}
