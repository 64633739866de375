// Beginnings of conversations with the server proxy, for playback.ts.

export const greeted = `
> setTimer login
> dial
server connected
> setTimer negotiation
S: 220 ready
> C: 220 ready
> clearTimer negotiation
`;

export function secured(word: string): string {
  return `${greeted}
C: AUTH ${word}
> C: 234 ftpseal: AUTH ${word} accepted; begin TLS now.
> setTimer handshake
> secureClient
client secured
> clearTimer handshake
`;
}

export const inside = `${secured('TLS')}
C: USER bo
> clearTimer login
> S: USER bo
S: 331 word?
> C: 331 word?
C: PASS x
> S: PASS x
S: 230 in
> C: 230 in
`;

export const priv = `${inside}
C: PBSZ 0
> C: 200 PBSZ=0
C: PROT P
> C: 200 ftpseal: data connections are encrypted from now on.
`;

export const passive = `
C: EPSV
> listenForClient 1
> S: EPSV
> setTimer answer
S: 229 ok (|||50000|)
> connectServer 1 127.0.0.1:50000
> clearTimer answer
client listening 1 192.0.2.1:40001
> C: 229 Entering Extended Passive Mode (|||40001|)
server reached 1
client connected 1
`;
