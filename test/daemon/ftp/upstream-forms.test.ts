import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientSide } from '../../../daemon/ftp/channel.js';
import { Control } from '../../../daemon/ftp/control.js';
import { UpstreamForms } from '../../../daemon/ftp/upstream-forms.js';
import { endpoint, formatEffects } from '../../transcripts/notation.js';
import { DEFAULT_CONTEXT } from '../../transcripts/scenario.js';

const pasv: ClientSide = { kind: 'passive', form: 'PASV' };
const epsv: ClientSide = { kind: 'passive', form: 'EPSV' };
const active: ClientSide = { kind: 'active', to: endpoint('192.0.2.100:50000') };

function formsOf(context: Partial<typeof DEFAULT_CONTEXT>): {
  forms: UpstreamForms;
  remembered: () => string;
} {
  const control = new Control({ ...DEFAULT_CONTEXT, ...context });
  const remembered = (): string => formatEffects(control.outbox.take()).join();
  return { forms: new UpstreamForms(control), remembered };
}

describe('the order of the ways to the data', () => {
  it('begins with the client’s own', () => {
    const { forms } = formsOf({});
    assert.deepEqual(forms.inOrder(pasv), ['PASV', 'EPSV', 'ACTIVE']);
    assert.deepEqual(forms.inOrder(epsv), ['EPSV', 'PASV', 'ACTIVE']);
    assert.deepEqual(forms.inOrder(active), ['EPSV', 'PASV', 'ACTIVE']);
  });

  it('leaves out what can’t be', () => {
    assert.deepEqual(formsOf({ server: endpoint('[2001:db8::1]:21') }).forms.inOrder(pasv), [
      'EPSV',
      'ACTIVE',
    ]);
    assert.deepEqual(formsOf({ noEpsv: true }).forms.inOrder(active), ['PASV', 'ACTIVE']);
    const { forms } = formsOf({});
    forms.epsvAll = true;
    assert.deepEqual(forms.inOrder(epsv), ['EPSV']);
    assert.deepEqual(forms.afterFailure(), ['EPSV']);
  });

  it('begins with active mode where no passive port was ever reached', () => {
    const { forms } = formsOf({ passiveProven: false });
    forms.unreachable();
    assert.deepEqual(forms.inOrder(epsv), ['ACTIVE', 'EPSV', 'PASV']);
    assert.equal(forms.unproven, false);
    forms.reached();
    assert.deepEqual(forms.inOrder(epsv), ['EPSV', 'PASV', 'ACTIVE']);
  });

  it('does not change for one port where others were reached', () => {
    const { forms } = formsOf({});
    forms.unreachable();
    assert.deepEqual(forms.inOrder(epsv), ['EPSV', 'PASV', 'ACTIVE']);
  });
});

it('what is worth knowing is told once', () => {
  const { forms, remembered } = formsOf({ passiveProven: false });
  forms.forgetEpsv();
  forms.forgetEpsv();
  forms.reached();
  forms.reached();
  assert.equal(remembered(), '> remember noEpsv,> remember passiveWorks');
});
