import type { GraphQLError } from 'graphql'
import { isLong } from '../../graphql/results/long-text.js'
import type { GraphQLReply } from '../engine/respond.js'
import type { AnswerText } from '../pipeline/answer-text.js'
import type { ResultStream } from '../pipeline/operation-request.js'
import { longNextFrame, nextFrames } from './socket-frames.js'

/** Writes whole frames to a socket. */
export interface FrameWriter {
  /** Calls `onSent` once the socket has accepted the frames or failed. Returns false if the socket is not open. */
  write(frames: Buffer, onSent: (error?: Error | null) => void): boolean
}

/** The iterator for graphql-ws, which only sees the end of the results. */
export type ResultsEnd = AsyncIterableIterator<never>

/**
 * Connects `respond` to graphql-ws, which asks for the execution arguments first and for the results afterwards. The
 * results bypass graphql-ws: they are written as frames of `next` messages, so that subscribers can share them.
 */
export class SocketReply implements GraphQLReply {
  /** Resolves to null when execution begins, or to the errors of an invalid request. */
  readonly accepted: Promise<readonly GraphQLError[] | null>
  readonly results: Promise<ResultsEnd>
  #accept!: (errors: readonly GraphQLError[] | null) => void
  #respond!: (results: ResultsEnd) => void
  #rejectAccepted!: (error: unknown) => void
  #rejectResults!: (error: unknown) => void

  constructor(
    private readonly id: string,
    private readonly writer: FrameWriter,
  ) {
    this.accepted = new Promise((resolve, reject) => {
      this.#accept = resolve
      this.#rejectAccepted = reject
    })
    this.results = new Promise((resolve, reject) => {
      this.#respond = resolve
      this.#rejectResults = reject
    })
    // graphql-ws awaits the second only after the first, so it handles at most one of two rejections.
    this.accepted.catch(() => undefined)
    this.results.catch(() => undefined)
  }

  begin(): void {
    this.#accept(null)
  }

  refuse(errors: readonly GraphQLError[]): void {
    this.#accept(errors)
  }

  answer({ text }: AnswerText): void {
    const write = (frames: Buffer) =>
      new Promise<void>((resolve, reject) => {
        const isOpen = this.writer.write(frames, (error) => (error ? reject(error) : resolve()))
        if (!isOpen) resolve()
      })
    if (typeof text !== 'string' || isLong(text)) {
      this.#respond(resultsEnd(async () => write(await longNextFrame(this.id, text))))
      return
    }
    const frames = nextFrames(this.id)([Buffer.from(text, 'utf8')])
    this.#respond(resultsEnd(() => write(frames)))
  }

  stream(results: ResultStream): void {
    const { writer } = this
    const write = nextFrames(this.id)
    const key = `ws ${this.id}`
    const deliver = () =>
      results.deliver({
        send(batch, onSent) {
          writer.write(batch.frames(key, write), (error) => {
            if (!error) onSent()
          })
        },
      })
    this.#respond(resultsEnd(deliver, () => results.return?.()))
  }

  fail(error: unknown): void {
    this.#rejectAccepted(error)
    this.#rejectResults(error)
  }
}

/** @param send - Sends all results */
function resultsEnd(send: () => Promise<void>, cancel: () => unknown = () => undefined): ResultsEnd {
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      await send()
      return { done: true, value: undefined }
    },
    async return() {
      await cancel()
      return { done: true, value: undefined }
    },
  }
}
