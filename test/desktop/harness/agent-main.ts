// The agent alone, without icon and windows: the link and the keychain. Prints its state, one JSON line a change.
//   agent-main.js <runtime folder>
import { connectDaemon } from '../../../tray/daemon-link.js';
import type { AgentState } from '../../../tray/agent-state.js';
import { openVault } from '../../../tray/keychain/open-vault.js';

const [, , runtimeDir] = process.argv;
const link = connectDaemon({ runtimeDir, vault: openVault() });
print(link.state);
link.subscribe(print);

function print({ daemon, vault, questions, sessions }: AgentState): void {
  const line = {
    daemon: daemon.kind,
    vault: vault.kind,
    questions: questions.map((question) => question.connection.server.address),
    sessions: sessions.length,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
