import { LRUCache } from 'lru-cache'
import type { EntryId } from '../../core/entry/entry-id.js'
import { wholeText } from '../../graphql/results/long-text.js'
import type { Registry } from '../../registry/registry.js'
import { SharedReadWaiters } from '../../store/coalescing/shared-read-waiters.js'
import type { AnswerText, OnAnswer } from '../pipeline/answer-text.js'
import type { InFlightCounter } from '../pipeline/in-flight-counter.js'

/** An answer that shows one entry. It has to be validated before each use. */
export interface CachedAnswer {
  readonly id: EntryId
  /** Mark of the entry that the answer shows. */
  readonly mark: number
  readonly answer: AnswerText
}

interface Validation {
  readonly body: string
  readonly cached: CachedAnswer
  readonly onAnswer: OnAnswer
}

/** @bound Size of the answers about single entries that are cached by request body. */
const MOST_BYTES = 16 * 1024 * 1024
/**
 * @bound Characters of an answer that is cached. Larger ones are rare, and computing them again costs little compared
 * with sending them.
 */
const LARGEST = 16 * 1024

/**
 * Caches answers that show one entry, by the request's body. While the entry is unchanged, an equal body is neither
 * parsed nor executed again. A read-index query that begins after the request arrived decides whether the entry is
 * unchanged.
 */
export class AnswerCache {
  readonly #answers = new LRUCache<string, CachedAnswer>({
    maxSize: MOST_BYTES,
    maxEntrySize: LARGEST,
    sizeCalculation: ({ answer, id }, body) =>
      400 + textBytes(body) + textBytes(wholeText(answer.text)) + 2 * id.length,
  })
  readonly #waiters = new SharedReadWaiters<Validation>(
    (validation) => this.#end(validation, this.#validAnswer(validation)),
    (validation) => this.#end(validation, null),
  )

  constructor(
    private readonly registry: Pick<Registry, 'head' | 'isMarkedAtHead'>,
    private readonly inFlight: InFlightCounter,
  ) {}

  get(body: string): CachedAnswer | undefined {
    return this.#answers.get(body)
  }

  set(body: string, answer: CachedAnswer): void {
    if (answer.answer.text.length <= LARGEST) this.#answers.set(body, answer)
  }

  /** Calls `onAnswer` with the answer if it is still valid. Otherwise, or if the read-index query fails, calls it with null. */
  validate(body: string, cached: CachedAnswer, onAnswer: OnAnswer): void {
    const readIndex = this.registry.head()
    this.inFlight.begin()
    this.#waiters.add(readIndex, { body, cached, onAnswer })
  }

  #end({ onAnswer }: Validation, answer: AnswerText | null): void {
    this.inFlight.end()
    onAnswer(answer)
  }

  #validAnswer({ body, cached }: Validation): AnswerText | null {
    const { id, mark, answer } = cached
    if (this.registry.isMarkedAtHead(id, mark)) return answer
    if (this.#answers.peek(body) === cached) this.#answers.delete(body)
    return null
  }
}

/** Size in memory: one byte a character if all are ASCII, as in most texts, otherwise two. */
function textBytes(text: string): number {
  return Buffer.byteLength(text) === text.length ? text.length : 2 * text.length
}
