import { LRUCache } from 'lru-cache'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Registry } from '../../registry/registry.js'
import { SharedReadWaiters } from '../../store/coalescing/shared-read-waiters.js'
import type { InFlightCounter } from '../pipeline/in-flight-counter.js'
import type { AnswerText, OnAnswer } from './answer.js'

/** What has been answered; whether it holds yet must be asked. */
export interface CachedAnswer {
  readonly id: EntryId
  /** Of the entry that the answer tells of. */
  readonly mark: number
  readonly answer: AnswerText
}

interface Asking {
  readonly body: string
  readonly remembered: CachedAnswer
  readonly tell: OnAnswer
}

/** @bound Size of the answers about single entries that are cached by request body. */
const MOST_BYTES = 16 * 1024 * 1024
/**
 * @bound Characters of an answer that is cached. Larger ones are rare, and computing them again costs little compared
 * with sending them.
 */
const LARGEST = 16 * 1024

/**
 * Answers that tell of one entry, by the request's body: that text need be neither parsed nor written again while the
 * entry is as it was. Whether it is, is asked of a look at the head that begins after the request came, as for any read.
 */
export class AnswerCache {
  readonly #answers = new LRUCache<string, CachedAnswer>({
    maxSize: MOST_BYTES,
    maxEntrySize: LARGEST,
    sizeCalculation: ({ answer, id }, body) => 400 + textBytes(body) + textBytes(answer.text) + 2 * id.length,
  })
  readonly #afterLook = new SharedReadWaiters<Asking>(
    (asking) => this.#end(asking, this.#answerOf(asking)),
    (asking) => this.#end(asking, null),
  )

  constructor(
    private readonly registry: Pick<Registry, 'head' | 'isMarkedAtHead'>,
    private readonly inFlight: InFlightCounter,
  ) {}

  of(body: string): CachedAnswer | undefined {
    return this.#answers.get(body)
  }

  /** @param mark - Of the entry as the answer tells of it */
  remember(body: string, id: EntryId, mark: number, answer: AnswerText): void {
    this.#answers.set(body, { id, mark, answer })
  }

  /** Tells whether what was remembered of a body answers it now: null where it may hold no longer, or where no look could be had. */
  ask(body: string, remembered: CachedAnswer, tell: OnAnswer): void {
    const look = this.registry.head()
    this.inFlight.begin()
    this.#afterLook.add(look, { body, remembered, tell })
  }

  #end({ tell }: Asking, answer: AnswerText | null): void {
    this.inFlight.end()
    tell(answer)
  }

  #answerOf({ body, remembered }: Asking): AnswerText | null {
    const { id, mark, answer } = remembered
    if (this.registry.isMarkedAtHead(id, mark)) return answer
    if (this.#answers.peek(body) === remembered) this.#answers.delete(body)
    return null
  }
}

/** Of a text in memory: a byte for each character where all are ASCII, which most texts are, otherwise two. */
function textBytes(text: string): number {
  return Buffer.byteLength(text) === text.length ? text.length : 2 * text.length
}
