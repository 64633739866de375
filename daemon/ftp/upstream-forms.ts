// Which ways to a server's data are worth a try, in which order, and what a session learns about them. Upstream is passive first,
// whatever the client asked for; real active mode is the fallback (ARCHITECTURE.md section 3).
import { familyOf } from '../../shared/endpoint.js';
import type { ClientSide } from './channel.js';
import type { Control } from './control.js';

export type UpstreamForm = 'EPSV' | 'PASV' | 'ACTIVE';

/** One session's knowledge; what is good to know for the server's next sessions goes out as `remember`. */
export class UpstreamForms {
  /** After EPSV ALL no other form may be used, by the client or by us (RFC 2428 section 4). */
  epsvAll = false;
  readonly #control: Control;
  #noEpsv: boolean;
  #passive: 'unproven' | 'works' | 'fails';

  constructor(control: Control) {
    this.#control = control;
    this.#noEpsv = control.context.noEpsv;
    this.#passive = control.context.passiveProven ? 'works' : 'unproven';
  }

  /** The client's own form first, so that its view of what the server can do stays right. */
  inOrder(client: ClientSide): UpstreamForm[] {
    if (this.epsvAll) return ['EPSV'];
    const passive = this.#passiveInOrder(client);
    return this.#passive === 'fails' ? ['ACTIVE', ...passive] : [...passive, 'ACTIVE'];
  }

  #passiveInOrder(client: ClientSide): UpstreamForm[] {
    if (familyOf(this.#control.context.server.address) === 6) return ['EPSV'];
    if (client.kind === 'passive' && client.form !== 'EPSV') return ['PASV', 'EPSV'];
    return this.#noEpsv ? ['PASV'] : ['EPSV', 'PASV'];
  }

  /** What is left when the server's port could not be reached. */
  afterFailure(): UpstreamForm[] {
    return this.epsvAll ? ['EPSV'] : ['ACTIVE'];
  }

  /** The server does not know EPSV. */
  forgetEpsv(): void {
    if (!this.#noEpsv) this.#control.outbox.emit({ kind: 'remember', fact: 'noEpsv' });
    this.#noEpsv = true;
  }

  /**
   * Nothing shows yet that this server's passive ports can be reached: a server that is told to transfer before its port was
   * reached waits there, a minute or more, and can't be talked to meanwhile.
   */
  get unproven(): boolean {
    return this.#passive === 'unproven';
  }

  reached(): void {
    if (this.#passive !== 'works') this.#control.outbox.emit({ kind: 'remember', fact: 'passiveWorks' });
    this.#passive = 'works';
  }

  /** One port could not be reached. That is a wall where none ever was, and else an accident. */
  unreachable(): void {
    if (this.#passive === 'unproven') this.#passive = 'fails';
  }
}
