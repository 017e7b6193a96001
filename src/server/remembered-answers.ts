import { LRUCache } from 'lru-cache'
import type { EntryId } from '../core/entry-id.js'
import type { EntryRevision } from '../core/entry.js'
import type { Registry } from '../registry/registry.js'
import type { AnswerText } from './thin-path.js'

interface Remembered {
  readonly id: EntryId
  /** Of the entry that the answer tells of. */
  readonly mark: number
  readonly answer: AnswerText
}

/** Null: what was answered before may hold no longer, or no look could be had. */
type Tell = (answer: AnswerText | null) => void

interface Asking {
  readonly body: string
  readonly tell: Tell
}

const MOST_BYTES = 16 * 1024 * 1024
/** Larger ones are seldom, and to write them anew costs little beside sending them. */
const LARGEST = 16 * 1024

/**
 * Answers that tell of one entry, by the request's body: that text need be neither parsed nor written again while the
 * entry is as it was. Whether it is, is asked of a look at the head that begins after the request came, as for any read.
 */
export class RememberedAnswers {
  readonly #answers = new LRUCache<string, Remembered>({
    maxSize: MOST_BYTES, maxEntrySize: LARGEST, sizeCalculation: ({ answer, id }, body) => 400 + 2 * (body.length + answer.text.length + id.length),
  })
  #look: Promise<unknown> | null = null
  #asking: Asking[] = []

  constructor(private readonly registry: Pick<Registry, 'head' | 'markAtHead' | 'isMarkedAtHead'>, private readonly running: Set<Promise<unknown>>) {}

  has(body: string): boolean {
    return this.#answers.has(body)
  }

  /** @param entry - As the answer tells of it */
  remember(body: string, entry: EntryRevision, answer: AnswerText): void {
    const mark = this.registry.markAtHead(entry)
    if (mark !== null) this.#answers.set(body, { id: entry.id, mark, answer })
  }

  /** Tells what answers a body now. */
  ask(body: string, tell: Tell): void {
    const look = this.registry.head()
    if (look !== this.#look) this.#begin(look)
    this.#asking.push({ body, tell })
  }

  /** All who share a look share one promise. */
  #begin(look: Promise<unknown>): void {
    const asking: Asking[] = []
    this.#look = look
    this.#asking = asking
    const ended = () => {
      this.running.delete(answered)
      if (this.#look === look) this.#look = null
    }
    const answered = look.then(() => {
      ended()
      for (const { body, tell } of asking) tell(this.#answerOf(body))
    }, () => {
      ended()
      for (const { tell } of asking) tell(null)
    })
    this.running.add(answered)
  }

  #answerOf(body: string): AnswerText | null {
    const known = this.#answers.get(body)
    if (known === undefined) return null
    if (this.registry.isMarkedAtHead(known.id, known.mark)) return known.answer
    this.#answers.delete(body)
    return null
  }
}
