import { escapeCharacter, HIDDEN_CHARACTERS } from '../../core/entry/hidden-characters.js'

/** Escapes the hidden characters of a text for one line, so that text from a registry cannot control the terminal. */
export function printable(text: string): string {
  return text.replace(HIDDEN_CHARACTERS, escapeCharacter)
}
