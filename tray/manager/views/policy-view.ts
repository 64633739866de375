// The page "Policy": what is in force, in words, and who decided it.
import type { ConfigView, Setting } from '../../../shared/ipc-messages.js';
import { displayText } from '../display-text.js';
import type { PolicyView, SettingRow } from '../wire.js';
import { policyGroups, policyWords } from './policy-words.js';

export function policyView(config: ConfigView): PolicyView {
  const groups = policyGroups.map(({ title, prefix }) => ({
    title,
    rows: config.settings.filter(({ key }) => key.startsWith(prefix)).map(settingRow),
  }));
  const known = (key: string) => policyGroups.some(({ prefix }) => key.startsWith(prefix));
  const others = config.settings.filter(({ key }) => !known(key)).map(settingRow);
  return {
    kind: 'policy',
    file: displayText(config.file, 300),
    groups: [...groups, ...(others.length > 0 ? [{ title: 'Other', rows: others }] : [])],
    hosts: config.hosts.slice(0, 500).map(special),
    clients: config.clients.slice(0, 500).map(special),
  };
}

function special({ match, settings }: ConfigView['hosts'][number]): PolicyView['hosts'][number] {
  return { match: displayText(match, 300), rows: settings.map(settingRow) };
}

/** A key that this version has no words for is shown by its own name. */
function settingRow({ key, value, origin }: Setting): SettingRow {
  const words = policyWords[key];
  const meaning = typeof words?.meaning === 'string' ? words.meaning : words?.meaning[value];
  return {
    key: displayText(key, 64),
    title: words?.title ?? displayText(key, 64),
    meaning: meaning ?? '',
    value: displayText(valueText(value), 400),
    locked: origin === 'file',
  };
}

/** Without the marks of the file's language: `TLS, X-SafeTP1`, `none`, `yes`. */
function valueText(value: string): string {
  const plain = value.replaceAll('"', '').replace(/^\[(.*)\]$/, '$1');
  if (plain === '') return 'none';
  return plain === 'true' ? 'yes' : plain === 'false' ? 'no' : plain;
}
