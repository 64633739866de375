// Completions for bash, zsh and fish, made from the commands.

/** Files below /usr/share: `{ path, text }`. */
export function completions(root) {
  return [
    { path: 'bash-completion/completions/ftpseal', text: bash(root) },
    { path: 'zsh/vendor-completions/_ftpseal', text: zsh(root) },
    { path: 'fish/vendor_completions.d/ftpseal.fish', text: fish(root) },
  ];
}

/** Every command with the words that lead to it, the program itself first. */
function flatten(command) {
  return [command, ...command.commands.flatMap(flatten)];
}

function key(command) {
  return command.words.slice(1).join(' ');
}

function flagsOf({ options }) {
  return [...options.flatMap(({ short, long }) => [short, long]), '--help'].filter(
    (flag) => flag !== undefined,
  );
}

const named = (text) => /file|dir/.test(text);

function bash(root) {
  const all = flatten(root);
  const cases = all.map((command) => {
    const words = [...command.commands.map(({ words: path }) => path.at(-1)), ...flagsOf(command)];
    return `    '${key(command)}') words='${words.join(' ')}' ;;`;
  });
  const inner = all.filter((command) => command.commands.length > 0).map((command) => `'${key(command)}'`);
  const fixed = all.flatMap((command) =>
    command.options
      .filter(({ values }) => values.length > 0)
      .map(({ long, values }) => `    '${key(command)} ${long}') words='${values.join(' ')}' ;;`),
  );
  return `# bash completion of ftpseal, made from its help texts.
_ftpseal() {
  local word words path='' index
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case "$path" in ${inner.join('|')}) [[ $word == -* ]] || path="\${path:+$path }$word" ;; esac
  done
  case "$path $previous" in
${fixed.join('\n')}
    *) case "$path" in
${cases.join('\n')}
    *) words='' ;;
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _ftpseal ftpseal
`;
}

function zsh(root) {
  return `#compdef ftpseal
# zsh completion of ftpseal, made from its help texts.
${flatten(root).map(zshFunction).join('\n')}
_ftpseal "$@"
`;
}

function zshName(command) {
  return `_${command.words.join('_').replaceAll('-', '_')}`;
}

function zshFunction(command) {
  const options = command.options.map(zshOption);
  const help = `'(-)'{-h,--help}'[show help]'`;
  if (command.commands.length === 0)
    return `${zshName(command)}() {\n  _arguments -s ${[help, ...options, `'*:file:_files'`].join(' \\\n    ')}\n}`;
  const list = command.commands.map((one) => quote(`${one.words.at(-1)}:${one.description}`));
  const arms = command.commands.map((one) => `    ${one.words.at(-1)}) ${zshName(one)} ;;`);
  return `${zshName(command)}() {
  local state line
  _arguments -C ${[help, ...options, `'1: :->command'`, `'*:: :->rest'`].join(' \\\n    ')}
  case $state in
    command)
      local -a commands=(${list.join(' ')})
      _describe command commands ;;
    rest) case $line[1] in
${arms.join('\n')}
    esac ;;
  esac
}`;
}

function zshOption({ short, long, takesValue, values, description, flags }) {
  const value =
    values.length > 0 ? `:value:(${values.join(' ')})` : named(flags) ? ':file:_files' : ':value: ';
  const text = `[${description.replace(/[[\]:]/g, '\\$&')}]${takesValue ? value : ''}`;
  if (short === undefined || long === undefined) return quote(`*${long ?? short}${text}`);
  return `'*'{${short},${long}}${quote(text)}`;
}

function fish(root) {
  const rows = flatten(root).flatMap((command) => {
    const when = condition(command, root);
    const commands = command.commands.map(
      (one) => `complete -c ftpseal -f ${when} -a ${one.words.at(-1)} -d ${fishQuote(one.description)}`,
    );
    return [...commands, ...command.options.map((option) => fishOption(option, when))];
  });
  return `# fish completion of ftpseal, made from its help texts.\ncomplete -c ftpseal -s h -l help -d 'show help'\n${rows.join('\n')}\n`;
}

function condition(command, root) {
  if (command === root) return '-n __fish_use_subcommand';
  const seen = command.words.slice(1).map((word) => `__fish_seen_subcommand_from ${word}`);
  const deeper = command.commands.map(({ words }) => words.at(-1)).join(' ');
  return `-n '${[...seen, ...(deeper === '' ? [] : [`not __fish_seen_subcommand_from ${deeper}`])].join('; and ')}'`;
}

function fishOption({ short, long, takesValue, values, description }, when) {
  return [
    `complete -c ftpseal ${when}`,
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    ...(long === undefined ? [] : [`-l ${long.slice(2)}`]),
    ...(takesValue ? ['-r'] : []),
    ...(values.length === 0 ? [] : [`-f -a ${fishQuote(values.join(' '))}`]),
    `-d ${fishQuote(description)}`,
  ].join(' ');
}

function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** fish knows the backslash inside single quotes. */
function fishQuote(text) {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
