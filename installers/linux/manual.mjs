// Man pages in man(7), made from the commands.

/** One page for the program and one a command, as `{ name: 'ftpseal-keys.1', text }`. `date` is ISO. */
export function manualPages(root, { version, date }) {
  const page = (command) => ({
    name: `${command.words.join('-')}.1`,
    text: `${header(command, { version, date })}${body(command, root)}`,
  });
  return [page(root), ...root.commands.map(page)];
}

function header({ words, description }, { version, date }) {
  const name = words.join('-');
  return lines(
    '.\\" Made from the help texts of the program.',
    `.TH ${name.toUpperCase().replaceAll('-', '\\-')} 1 ${date} "ftpseal ${version}" "ftpseal"`,
    '.SH NAME',
    `${escape(name)} \\- ${escape(firstPart(description))}`,
  );
}

function body(command, root) {
  const isRoot = command === root;
  return [
    section('SYNOPSIS', synopsis(command)),
    section('DESCRIPTION', paragraph(sentence(command.description))),
    isRoot ? section('COMMANDS', command.commands.map(commandEntry).join('')) : '',
    section('OPTIONS', options(command)),
    ...(isRoot ? [] : command.commands.map(subcommand)),
    afterText(command.after),
    isRoot ? section('FILES', files) : '',
    section('SEE ALSO', seeAlso(command, root)),
  ].join('');
}

function synopsis(command) {
  const forms = command.commands.length > 0 && command.words.length > 1 ? command.commands : [command];
  return forms.map(({ words, usage }) => lines(`.B ${escape(words.join(' '))}`, escape(usage))).join('.br\n');
}

function commandEntry({ words, description }) {
  return entry(`\\fB${escape(words.join('-'))}\\fR(1)`, description);
}

function subcommand(command) {
  return lines(`.SH "${command.words.slice(1).join(' ').toUpperCase()}"`) + about(command);
}

function about(command) {
  const after =
    command.after === '' ? '' : lines('.PP') + verbatim(command.after.replace(/^Examples:\n/, ''));
  return paragraph(sentence(command.description)) + options(command) + after;
}

function options({ arguments: named, options: list }) {
  const described = named.filter((one) => one.description !== '');
  return [
    ...described.map((one) => entry(`\\fI${escape(one.name)}\\fR`, one.description)),
    ...list.map((option) => entry(`\\fB${escape(option.flags)}\\fR`, option.description)),
    entry('\\fB\\-h, \\-\\-help\\fR', 'show the help of this command'),
  ].join('');
}

/** "Examples:" and whatever else a command says after its options. */
function afterText(text) {
  if (text === '') return '';
  const examples = /^Examples:\n([\s\S]*)$/.exec(text);
  if (examples !== null) return section('EXAMPLES', verbatim(examples[1]));
  const exitCodes = /^Exit codes: ([\s\S]*)$/.exec(text);
  if (exitCodes !== null) return section('EXIT STATUS', paragraph(exitCodes[1]));
  return section('NOTES', verbatim(text));
}

const files = [
  ['/etc/ftpseal/config.toml', 'the configuration; every key has a default'],
  ['/etc/ftpseal/keys.d', 'keys that the administrator gives to everybody'],
  ['/var/lib/ftpseal', 'keys and log of the daemon, readable for it alone'],
  ['/run/ftpseal/ftpseal.sock', 'where the commands reach the daemon'],
]
  .map(([name, what]) => entry(`\\fI${escape(name)}\\fR`, what))
  .join('');

function seeAlso(command, root) {
  const others = [root, ...root.commands].filter((one) => one !== command);
  return lines(others.map(({ words }) => `.BR ${escape(words.join('-'))} (1)`).join(',\n'));
}

function section(title, text) {
  return text === '' ? '' : lines(`.SH ${title}`) + text;
}

function entry(term, text) {
  return lines('.TP', term, escape(sentence(text)));
}

function paragraph(text) {
  return lines(escape(text));
}

function verbatim(text) {
  const shown = text.split('\n').map((line) => escape(line.replace(/^ {2}/, '')));
  return lines('.nf', ...shown, '.fi');
}

/** apropos has one line for it. */
function firstPart(text) {
  return text.split(/[:;]/)[0].replace(/\.$/, '');
}

/** A first word that is no ordinary one, such as a file's name, stays as it is. */
function sentence(text) {
  const start = /^[a-z]+[ ,;]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

function escape(text) {
  const plain = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', "'")
    .replaceAll('…', '...');
  return plain.replace(/^([.'])/, '\\&$1');
}

function lines(...all) {
  return `${all.join('\n')}\n`;
}
