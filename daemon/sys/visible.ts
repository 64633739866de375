// Text that somebody else may have had a hand in, on its way to a terminal or into a log for people.

/** Control, format (bidi) and separator characters: what moves, hides or turns around what stands beside it. */
const invisible = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text with a question mark for each character that is none; line ends stay. */
export function visible(text: string): string {
  return text.replace(invisible, '?');
}

/** The same in one line. */
export function visibleLine(text: string): string {
  return visible(text.trimEnd().replace(/\s*[\r\n]+\s*/g, ' '));
}

/** JSON that means the same and shows every such character by its number. */
export function visibleJson(json: string): string {
  return json.replace(invisible, (found) =>
    Array.from({ length: found.length }, (_, index) => escapeUnit(found.charCodeAt(index))).join(''),
  );
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
