// The page "Check-up": what `ftpseal doctor` looks at, as far as it concerns a person at a desktop, and the keychain.
import {
  checkConfig,
  checkNode,
  checkRanges,
  checkTool,
  daemonFindings,
  ephemeralRange,
  type Finding,
} from '../../../daemon/cli/doctor/checks.js';
import { checkDriverFiles } from '../../../daemon/cli/doctor/windows-checks.js';
import { howToStart } from '../../../daemon/sys/platform-words.js';
import type { AgentState, VaultState } from '../../agent-state.js';
import { displayText } from '../display-text.js';
import type { CheckRow, CheckupView } from '../wire.js';

export async function checkupView(
  state: AgentState,
  configPath: string | undefined,
  now: number,
): Promise<CheckupView> {
  const { finding, config } = await checkConfig(configPath);
  const findings: readonly Finding[] = [
    ...daemonOf(state),
    vaultFinding(state.vault),
    finding,
    ...(config === undefined ? [] : [checkRanges(config, ephemeralRange())]),
    process.platform === 'win32' ? checkDriverFiles() : checkTool('nft', 'nftables'),
    checkNode(process.version),
  ];
  return { kind: 'checkup', ranAt: now, rows: findings.map(row) };
}

function daemonOf({ daemon, status }: AgentState): readonly Finding[] {
  if (daemon.kind === 'unreachable' || status === undefined) {
    const text = daemon.kind === 'unreachable' ? daemon.sentence : 'has not answered yet';
    return [
      {
        check: 'daemon',
        state: 'fail',
        text,
        todo: `ask the administrator. ${howToStart}`,
      },
    ];
  }
  return daemonFindings(status);
}

function vaultFinding(vault: VaultState): Finding {
  switch (vault.kind) {
    case 'off':
      return { check: 'keychain', state: 'ok', text: 'not used; the daemon keeps the keys in its own file' };
    case 'ready':
      return { check: 'keychain', state: 'ok', text: 'open, and keeps the keys of your servers' };
    case 'locked':
      return {
        check: 'keychain',
        state: 'fail',
        text: vault.sentence,
        todo: 'unlock it, for example by logging in again',
      };
    case 'absent':
    case 'slow':
      return {
        check: 'keychain',
        state: 'fail',
        text: vault.sentence,
        todo: 'start the keychain of your desktop',
      };
  }
}

function row({ check, state, text, todo }: Finding): CheckRow {
  return {
    check: check === 'nft' ? check : sentence(check),
    tone: state === 'ok' ? 'good' : state === 'warn' ? 'warn' : 'bad',
    text: displayText(sentence(text), 600),
    todo: displayText(sentence(todo ?? ''), 300),
  };
}

/** A capital where a word begins; `v20` and paths stay. */
function sentence(text: string): string {
  return /^\p{Ll}{2}/u.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
