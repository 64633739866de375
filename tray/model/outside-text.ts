// Text that comes from servers, certificates or other programs, made fit for a menu, a tooltip or a notification.

/** Control, format (bidi), surrogate, private and unassigned characters; and those that show nothing. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** More than two marks on one letter hide the lines around it. */
const markPile = /(\p{M}{2})\p{M}+/gu;

/** One line of at most `max` characters; what can't be shown becomes a question mark, a cut is shown by an ellipsis. */
export function cleanText(text: string, max: number): string {
  const clean = text
    // A megabyte of text must not cost a megabyte of work.
    .slice(0, max * 8)
    .replace(unprintable, '?')
    .replace(markPile, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  const letters = Array.from(clean);
  return letters.length > max ? `${letters.slice(0, max - 1).join('')}…` : clean;
}
