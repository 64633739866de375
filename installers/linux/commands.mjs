// The command line as data, read from the program itself, so that no man page or completion can say anything else.

/**
 * The command and, below `commands`, its subcommands, without hidden ones. Needs the compiled program.
 * Options have `flags`, `short`, `long`, `takesValue`, `values` (of a fixed choice) and `description`.
 */
export async function readCommands() {
  const { commandTree } = await import('../../dist/daemon/cli/program.js');
  return describe(commandTree(), []);
}

function describe(command, before) {
  const words = [...before, command.name()];
  const help = command.createHelp();
  return {
    words,
    description: command.description(),
    usage: command.usage(),
    arguments: command.registeredArguments.map((one) => ({ name: one.name(), description: one.description })),
    options: command.options.filter((option) => !option.hidden).map((option) => describeOption(option, help)),
    after: textAfter(command),
    commands: command.commands.filter((one) => !one._hidden).map((one) => describe(one, words)),
  };
}

function describeOption(option, help) {
  return {
    flags: option.flags,
    short: option.short,
    long: option.long,
    takesValue: option.required || option.optional,
    values: option.argChoices ?? [],
    description: help.optionDescription(option),
  };
}

/** What addHelpText put behind the generated help: examples, exit codes. Commander only tells it by printing. */
function textAfter(command) {
  let all = '';
  command.configureOutput({ writeOut: (text) => (all += text) });
  command.outputHelp();
  return all.slice(command.helpInformation().length).trim();
}
