// What of a FEAT reply is hidden from a client once ftpseal has secured the connection.

const OWN = /^(?:[0-9]{3}-)?\s*(?:AUTH|ADAT|PBSZ|PROT|CCC|SSCN|CPSV)\b/i;

/** A feature line about protection, which is ftpseal's own business now. Servers write it with or without blank and code. */
export function isOwnFeature(text: string): boolean {
  return OWN.test(text);
}
