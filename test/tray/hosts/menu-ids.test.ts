import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MenuIds } from '../../../tray/hosts/menu-ids.js';
import { slotCount, slotsOf } from '../../../tray/hosts/systray-slots.js';
import type { MenuEntry } from '../../../tray/model/tray-view.js';

const ask = (id: string): MenuEntry => ({ kind: 'action', text: id, action: { kind: 'showQuestion', id } });
const quit: MenuEntry = { kind: 'action', text: 'Quit', action: { kind: 'quit' } };
const line: MenuEntry = { kind: 'line', text: 'state' };

describe('menu numbers', () => {
  it('stay with their entry, and are not used again', () => {
    const ids = new MenuIds();
    ids.take([line, ask('a'), quit]);
    const [, a, end] = ids.entries;
    ids.take([line, ask('b'), quit]);
    assert.equal(ids.actionOf(a?.id ?? 0), undefined, 'a has gone, b has another number');
    assert.deepEqual(ids.actionOf(end?.id ?? 0), { kind: 'quit' });
    const numbers = ids.entries.map(({ id }) => id);
    assert.equal(new Set(numbers).size, 3);
    assert.equal(ids.actionOf(ids.entries[0]?.id ?? 0), undefined, 'a line does nothing');
  });

  it('tell whether anything is new', () => {
    const ids = new MenuIds();
    assert.deepEqual(ids.take([line, quit]), { layout: true, changed: [] });
    assert.deepEqual(ids.take([line, quit]), { layout: false, changed: [] });
    const other: MenuEntry = { kind: 'line', text: 'other' };
    const [first] = ids.entries;
    assert.deepEqual(ids.take([other, quit]), { layout: false, changed: [{ id: first?.id, entry: other }] });
    assert.deepEqual(ids.take([quit, other]), { layout: true, changed: [] });
  });
});

describe('slots', () => {
  it('are always the same number; what is not needed is hidden', () => {
    const slots = slotsOf([line, { kind: 'separator' }, ask('a'), quit], 'win32');
    assert.equal(slots.length, slotCount);
    assert.deepEqual(
      slots.filter(({ hidden }) => !hidden).map(({ title, enabled }) => [title, enabled]),
      [
        ['state', false],
        ['a', true],
        ['Quit', true],
      ],
    );
  });

  it('write the check mark into the text only where the host has none', () => {
    const check: MenuEntry = {
      kind: 'check',
      text: 'Start',
      checked: true,
      action: { kind: 'toggleAutostart' },
    };
    assert.equal(slotsOf([check], 'linux')[0]?.title, '✓ Start');
    assert.equal(slotsOf([check], 'win32')[0]?.title, 'Start');
    assert.equal(slotsOf([check], 'win32')[0]?.checked, true);
  });
});
