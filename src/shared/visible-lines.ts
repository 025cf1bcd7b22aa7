/** Characters that a terminal would act on, hide, or show as a plain space. */
const UNSEEN =
  /[\p{C}\p{Zl}\p{Zp}\u00a0\u115f\u1160\u1680\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0]/gu;

/** The lines of untrusted text, complete, with every invisible character written as its code: `\u{202e}`. */
export function visibleLines(text: string): readonly string[] {
  return text.split('\n').map(line =>
    line.replace(UNSEEN, character => {
      return character === '\t' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`;
    }),
  );
}
