import { GraphQLError } from 'graphql'
import { type JsonText, piecesOf } from './long-text.js'

const MIB = 1024 * 1024
/** Shorter texts are counted by characters. */
const SHORT = 256
/** Bytes of a UTF-16 code unit in UTF-8, at most. */
const MOST_BYTES_OF_UNIT = 3

/** Counts the contents of one answer while it is built, so that an answer that is too large is not built to its end. */
export class AnswerSize {
  #size = 0

  /** @param most - Bytes of the longest answer */
  constructor(private readonly most: number) {}

  /** Counts a text. Returns false if the answer is too large, which makes the text pointless. */
  add(text: string): boolean {
    this.#size += text.length < SHORT ? text.length : Buffer.byteLength(text)
    return this.#size <= this.most
  }

  /** Returns the error that replaces an answer that is too large. */
  errorOf(answer: JsonText): GraphQLError | undefined {
    return this.#size > this.most || isLongerThan(answer, this.most) ? answerTooLarge(this.most) : undefined
  }

  /** Begins the next result of a subscription. */
  reset(): void {
    this.#size = 0
  }
}

function isLongerThan(text: JsonText, most: number): boolean {
  if (MOST_BYTES_OF_UNIT * text.length <= most) return false
  let bytes = 0
  for (const piece of piecesOf(text)) bytes += Buffer.byteLength(piece)
  return bytes > most
}

function answerTooLarge(most: number): GraphQLError {
  const shown = most >= MIB ? `${Math.floor(most / MIB)} MiB` : `${most} bytes`
  const message = `The answer is larger than ${shown}, the limit of this gateway. Request smaller pages (first, last), fewer entries or fewer fields. A mutation has taken effect nevertheless.`
  return new GraphQLError(message, { extensions: { code: 'TOO_LARGE' } })
}
