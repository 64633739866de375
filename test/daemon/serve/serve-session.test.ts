// The server proxy's session as conversations.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { greeted, inside, passive, priv, secured } from './conversations.js';
import { play } from './playback.js';

describe('protection', () => {
  it('AUTH, PBSZ, PROT, and a download whose 226 waits for the end of its data', () => {
    const session = play(
      {},
      `${priv}${passive}
C: RETR a
> S: RETR a
S: 150 here
> C: 150 here
> relay 1 download private
S: 226 done
> expectEnd 1
data 1 complete
> discard 1
> C: 226 done`,
    );
    assert.deepEqual(session.view(), { secured: 'TLS', data: 'private', transfers: 1, cut: 0 });
  });

  it('a cut upload is reported as failed, whatever the backend says', () => {
    const session = play(
      {},
      `${priv}${passive}
C: STOR a
> S: STOR a
S: 150 go
> C: 150 go
> relay 1 upload private
data 1 clientGone
S: 226 done
> discard 1
> C: 426 ftpseal: the data connection ended before the server had the whole file.`,
    );
    assert.equal(session.view().cut, 1);
  });

  it('a data connection that proves nothing transfers nothing', () => {
    play(
      {},
      `${priv}${passive}
C: RETR a
> S: RETR a
S: 150 here
> C: 150 here
> relay 1 download private
data 1 legFailed client it must resume the TLS session
S: 426 broken
> discard 1
> C: 426 broken`,
    );
  });

  for (const word of ['TLS', 'TLS-C']) {
    it(`AUTH ${word}: data in clear until PROT P`, () => {
      assert.equal(play({}, secured(word)).view().data, 'clear');
      assert.equal(play({ dataDefault: 'private' }, secured(word)).view().data, 'private');
    });
  }

  for (const word of ['TLS-P', 'SSL']) {
    it(`AUTH ${word}: data private at once`, () => {
      assert.equal(play({}, secured(word)).view().data, 'private');
    });
  }

  it('implicit: TLS before the greeting, data private at once', () => {
    const session = play(
      { implicit: true },
      `
> setTimer login
> setTimer handshake
> secureClient
client secured
> clearTimer handshake
> dial
server connected
> setTimer negotiation
S: 220 ready
> C: 220 ready
> clearTimer negotiation`,
    );
    assert.equal(session.view().data, 'private');
  });

  it('a word that is not offered: 504 with the list, and the next may do', () => {
    play(
      { words: ['TLS'] },
      `${greeted}
C: AUTH SSL
> C: 504 ftpseal: this mechanism is not offered here. LIST=TLS
C: auth tls
> C: 234 ftpseal: AUTH TLS accepted; begin TLS now.
> setTimer handshake
> secureClient`,
    );
  });

  it('what follows AUTH before the handshake is an attack', () => {
    play(
      { uncut: true },
      `${greeted}
C. AUTH TLS\\r\\nUSER mallory\\r\\n
> C: 421 ftpseal: something was sent behind AUTH, where only encryption may begin; somebody may be in between.
> close`,
    );
    play(
      { uncut: true },
      `${greeted}
C. AUTH TLS\\r\\nU
> C: 421 ftpseal: something was sent behind AUTH, where only encryption may begin; somebody may be in between.
> close`,
    );
  });

  it('what was set up in clear is forgotten: the backend gets a new connection, and the client no second greeting', () => {
    play(
      {},
      `${greeted}
C: OPTS UTF8 ON
> S: OPTS UTF8 ON
S: 200 on
> C: 200 on
C: AUTH TLS
> C: 234 ftpseal: AUTH TLS accepted; begin TLS now.
> setTimer handshake
> secureClient
client secured
> clearTimer handshake
> hangUpServer
> dial
C: USER bo
server connected
> setTimer negotiation
S: 220 again
> clearTimer negotiation
> clearTimer login
> S: USER bo`,
    );
  });

  it('no second AUTH, no CCC, no REIN, nothing of other mechanisms, no third party', () => {
    play(
      {},
      `${priv}
C: AUTH TLS
> C: 503 ftpseal: this connection is encrypted already.
C: CCC
> C: 534 ftpseal: the control connection stays encrypted.
C: REIN
> C: 502 ftpseal: an encrypted connection can't start anew; connect again instead.
C: ENC abc
> C: 503 ftpseal: this command is for other mechanisms than TLS.
C: ADAT abc
> C: 503 ftpseal: this connection is encrypted already.
C: CPSV
> C: 502 ftpseal: transfers between two servers are refused here.
C: PORT 192,0,2,7,200,10
> C: 504 ftpseal: data connections go to this client only, at a port above 1023.
C: PROT S
> C: 536 ftpseal: TLS protects data whole (P) or not at all (C).
C: PROT X
> C: 504 ftpseal: that protection level is not known; use P or C.
C: PBSZ x
> C: 501 ftpseal: PBSZ takes a number; with TLS it is 0.`,
    );
  });

  it('PROT before PBSZ, and both before AUTH', () => {
    play(
      {},
      `${greeted}
C: PROT P
> C: 503 ftpseal: there is no encryption yet; send AUTH first.
C: PBSZ 0
> C: 503 ftpseal: there is no encryption yet; send AUTH first.`,
    );
    play(
      {},
      `${secured('TLS')}
C: PROT P
> C: 503 ftpseal: send PBSZ 0 before PROT.`,
    );
  });

  it('commands that nobody knows pass in clear and are refused with protected data', () => {
    play(
      {},
      `${inside}
C: XEVIL
> S: XEVIL
S: 200 ok
> C: 200 ok
C: PBSZ 0
> C: 200 PBSZ=0
C: PROT P
> C: 200 ftpseal: data connections are encrypted from now on.
C: XEVIL
> C: 500 ftpseal: unknown command; while data is encrypted only known ones are passed on.
C. CWD a\\rXEVIL\\r\\n
> C: 500 ftpseal: a command line must not hold CR or NUL.
C: PROT C
> C: 200 ftpseal: data connections are not encrypted from now on.
C: XEVIL
> S: XEVIL`,
    );
  });
});

describe('clients without encryption', () => {
  it('are refused the login and everything that is not harmless', () => {
    play(
      {},
      `${greeted}
C: SYST
> S: SYST
S: 215 UNIX
> C: 215 UNIX
C: USER bo
> C: 530 ftpseal: this server takes logins over an encrypted connection only; send AUTH TLS first, or set your program to FTP over TLS.
C: PASV
> C: 530 ftpseal: this command is for encrypted connections only; send AUTH first.
C. NOOP\\rUSER bo\\r\\n
> C: 500 ftpseal: a command line must not hold CR or NUL.`,
    );
  });

  it('may do everything where nothing is required, but no AUTH afterwards', () => {
    play(
      { require: 'none' },
      `${greeted}
C: USER bo
> clearTimer login
> S: USER bo
S: 331 word?
> C: 331 word?
C: AUTH TLS
> C: 503 ftpseal: this conversation began without encryption; connect again and send AUTH before anything else.
C: PASS x
> S: PASS x
S: 230 in
> C: 230 in${passive}
C: NLST
> S: NLST
S: 150 here
> C: 150 here
> relay 1 download clear`,
    );
  });

  it('secure-data: clear transfers are refused over TLS too', () => {
    play(
      { require: 'secure-data' },
      `${inside}
C: NLST
> C: 522 ftpseal: this server transfers files over encrypted connections only; send PBSZ 0 and PROT P first.
C: PBSZ 0
> C: 200 PBSZ=0
C: PROT C
> C: 534 ftpseal: this server wants data encrypted; use PROT P.`,
    );
  });
});

describe('FEAT', () => {
  it('names our mechanisms and none of the backend’s', () => {
    play(
      {},
      `${greeted}
C: FEAT
> S: FEAT
S: 211-Features
> C: 211-Features
> C:  AUTH TLS;TLS-C;TLS-P;SSL;
> C:  PBSZ
> C:  PROT
S:  EPSV
> C:  EPSV
S:  AUTH GSSAPI
> C.
S:  CCC
> C.
S: 211 End
> C: 211 End`.replaceAll('> C.\n', ''),
    );
  });

  it('is answered for a backend that knows none', () => {
    play(
      {},
      `${greeted}
C: FEAT
> S: FEAT
C: SYST
S: 500 what?
> C: 211-Features:
> C:  AUTH TLS;TLS-C;TLS-P;SSL;
> C:  PBSZ
> C:  PROT
> C: 211 End
> S: SYST`,
    );
  });
});
