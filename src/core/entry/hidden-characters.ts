/**
 * Characters that a reader does not see, and that control a terminal or reorder the text around them: control, bidi and
 * zero-width characters, the line separators of Unicode, lone surrogates, and characters such as U+E0000 that Unicode reserves
 * as invisible. The joiners U+200C and U+200D are part of
 * how scripts and emoji are written.
 */
export const HIDDEN_CHARACTERS =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]|(?![\u200c\u200d])(?=\p{Default_Ignorable_Code_Point})[\p{Cf}\p{Cn}]/gu

/** Printable ASCII and line ends. Most texts contain nothing else, and this is found several times faster. */
const PLAIN = /^[\n\u0020-\u007e]*$/

/** Escapes one character as JSON does, so that a JSON text keeps its value. */
export function escapeCharacter(character: string): string {
  let escaped = ''
  for (let i = 0; i < character.length; i++) escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
  return escaped
}

/** Escapes the hidden characters of a text of several lines, except its line ends and tabs. */
export function escapeHidden(text: string): string {
  if (PLAIN.test(text)) return text
  return text.replace(HIDDEN_CHARACTERS, (found) => (found === '\n' || found === '\t' ? found : escapeCharacter(found)))
}
