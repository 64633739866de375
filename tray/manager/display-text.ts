// Text from outside (servers, certificates, programs) as a page may show it: what can't be seen, or turns text around, becomes
// visible. Escaping for HTML is not done here: pages only ever set text, and the few templates escape for themselves.

/** Control, format (directions, zero width), surrogates, line separators, private use and unassigned characters. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu;
/** More marks than that on one letter paint over the lines around it. */
const stacked = /(\p{M}{2})\p{M}+/gu;

/** One line without hidden characters (each is shown as its code), at most `max` characters long. */
export function displayText(text: string, max = 200): string {
  const clean = text
    .slice(0, max * 4)
    .replace(unseen, visible)
    .replace(stacked, '$1');
  return clean.length > max ? `${clean.slice(0, max - 1)}…` : clean;
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`;
}
