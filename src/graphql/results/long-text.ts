/** @bound Characters of JSON text that are joined at once. Longer text stays in pieces. */
const JOINED_LENGTH = 256 * 1024
/** Short pieces of a long text are joined up to this length. */
const PIECE_LENGTH = 64 * 1024

/** A long JSON text in pieces. To join and encode 50 MB at once holds the thread for more than 30 ms, and copies them. */
export class LongText {
  constructor(
    readonly pieces: readonly string[],
    /** Characters of all pieces. */
    readonly length: number,
  ) {}
}

/** A JSON text, in one string if it is short. */
export type JsonText = string | LongText

export function isJsonText(value: unknown): value is JsonText {
  return typeof value === 'string' || value instanceof LongText
}

/** Whether a text has grown so long that it is not appended to any further. */
export function isLong(text: JsonText): boolean {
  return text.length > JOINED_LENGTH
}

/** Joins texts as `Array.prototype.join` does, between two others. */
export function joinTexts(texts: readonly JsonText[], before = '', separator = '', after = ''): JsonText {
  let length = before.length + after.length + separator.length * Math.max(0, texts.length - 1)
  for (const text of texts) length += text.length
  if (length <= JOINED_LENGTH) return `${before}${texts.join(separator)}${after}`

  const pieces: string[] = []
  let open = before
  const add = (piece: string) => {
    if (piece.length >= PIECE_LENGTH) {
      if (open !== '') pieces.push(open)
      pieces.push(piece)
      open = ''
      return
    }
    open += piece
    if (open.length < PIECE_LENGTH) return
    pieces.push(open)
    open = ''
  }
  let isFirst = true
  for (const text of texts) {
    if (!isFirst) add(separator)
    isFirst = false
    if (typeof text === 'string') add(text)
    else for (const piece of text.pieces) add(piece)
  }
  add(after)
  if (open !== '') pieces.push(open)
  return new LongText(pieces, length)
}

/** Returns the pieces of a text, each short enough to be encoded at once. */
export function* piecesOf(text: JsonText): Generator<string> {
  for (const piece of typeof text === 'string' ? [text] : text.pieces) {
    let from = 0
    while (piece.length - from > JOINED_LENGTH) {
      // A character of two code units stays whole.
      const to = from + JOINED_LENGTH - (isHighSurrogate(piece.charCodeAt(from + JOINED_LENGTH - 1)) ? 1 : 0)
      yield piece.slice(from, to)
      from = to
    }
    yield from === 0 ? piece : piece.slice(from)
  }
}

/** Returns the whole text as one string. */
export function wholeText(text: JsonText): string {
  return typeof text === 'string' ? text : text.pieces.join('')
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00
}
