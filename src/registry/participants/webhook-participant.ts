import { createHmac } from 'node:crypto'
import * as http from 'node:http'
import * as https from 'node:https'
import { InexactNumber, parseStrictJson } from '../../core/entry/exact-json.js'
import { pause } from '../async/pause.js'
import type { OnFailure, Participant, ParticipantAnswer, Proposal } from './participant.js'
import { proposalJson } from './proposal-json.js'

/** Configuration of a webhook. */
export interface WebhookOptions {
  readonly name: string
  readonly url: string
  readonly kinds: readonly string[]
  readonly onFailure: OnFailure
  readonly timeoutMs: number
  /** Key that signs every body. Null signs nothing. */
  readonly secret: string | null
  /** Receives each failed connection, whose error names the address. */
  readonly onUnreachable?: (name: string, error: unknown) => void
}

/** @bound Size of a webhook's answer. */
const ANSWER_BYTES = 64 * 1024
/** Longest name of a member that an error quotes. */
const LONGEST_MEMBER = 100
/** @bound Retries of a webhook whose connection breaks, within the participant's time. */
const RETRIES = 3
const FIRST_RETRY_MS = 100

/** A participant that is asked by HTTP. Only its configured URL is ever called: redirects are failures. */
export class WebhookParticipant implements Participant {
  readonly name: string
  readonly kinds: readonly string[]
  readonly onFailure: OnFailure
  readonly timeoutMs: number
  readonly #url: URL
  readonly #secret: string | null
  readonly #agent: http.Agent
  readonly #onUnreachable: (name: string, error: unknown) => void

  constructor({ name, url, kinds, onFailure, timeoutMs, secret, onUnreachable = () => {} }: WebhookOptions) {
    this.name = name
    this.kinds = kinds
    this.onFailure = onFailure
    this.timeoutMs = timeoutMs
    this.#url = new URL(url)
    this.#secret = secret
    this.#onUnreachable = onUnreachable
    const settings = { keepAlive: true, maxFreeSockets: 8 }
    this.#agent = this.#url.protocol === 'https:' ? new https.Agent(settings) : new http.Agent(settings)
  }

  async offer(proposal: Proposal, signal: AbortSignal): Promise<ParticipantAnswer> {
    const { status, body } = await this.#post(proposal, signal)
    if (status !== 200) throw new WebhookFailure(`It answered with the status ${status}, not 200`)
    return readAnswer(body)
  }

  async notify(proposal: Proposal, signal: AbortSignal): Promise<void> {
    await this.#post(proposal, signal)
  }

  close(): void {
    this.#agent.destroy()
  }

  async #post(proposal: Proposal, signal: AbortSignal): Promise<Received> {
    const body = Buffer.from(proposalJson(proposal))
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'user-agent': 'cadastre',
      // The same on a retry, so that the receiver can detect a repeated offer.
      'x-cadastre-delivery': proposal.id,
      ...(this.#secret !== null && {
        'x-cadastre-signature': `sha256=${createHmac('sha256', this.#secret).update(body).digest('hex')}`,
      }),
    }
    for (let failures = 0; ; failures++) {
      try {
        return await this.#postOnce(body, headers, signal)
      } catch (error) {
        if (signal.aborted || failures === RETRIES || !isBroken(error)) throw this.#failure(error, signal)
        await pause(FIRST_RETRY_MS * 2 ** failures, signal)
        if (signal.aborted) throw error
      }
    }
  }

  /** The error that the caller of a changeset may see. It does not say where the webhook is: that is for the log. */
  #failure(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted || error instanceof WebhookFailure) return error
    this.#onUnreachable(this.name, error)
    const code = (error as NodeJS.ErrnoException | null)?.code
    return new WebhookFailure(`It could not be reached${typeof code === 'string' ? ` (${code})` : ''}`, {
      cause: error,
    })
  }

  #postOnce(body: Buffer, headers: http.OutgoingHttpHeaders, signal: AbortSignal): Promise<Received> {
    return new Promise((resolve, reject) => {
      const { request } = this.#url.protocol === 'https:' ? https : http
      const outgoing = request(this.#url, { method: 'POST', headers, agent: this.#agent, signal }, (incoming) => {
        const chunks: Buffer[] = []
        let bytes = 0
        incoming.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          chunks.push(chunk)
          if (bytes > ANSWER_BYTES)
            outgoing.destroy(new WebhookFailure(`Its answer has more than ${ANSWER_BYTES} bytes`))
        })
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) }))
        // After `end` these have no effect. If an answer was refused above, its error came first.
        incoming.on('error', (error) => reject(outgoing.errored ?? error))
        incoming.on('close', () =>
          reject(outgoing.errored ?? new BrokenAnswer('The connection ended within its answer')),
        )
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
}

interface Received {
  readonly status: number
  readonly body: Buffer
}

/** A failure whose message does not name the webhook's address. */
class WebhookFailure extends Error {}

class BrokenAnswer extends WebhookFailure {
  readonly code = 'ECONNRESET'
}

/** Error codes of a failed connection. */
const CONNECTION_ERRORS = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
])

function isBroken(error: unknown): boolean {
  return CONNECTION_ERRORS.has((error as NodeJS.ErrnoException | null)?.code ?? '')
}

/**
 * Reads the body of an answer.
 * @throws Error unless it is `{"accept": true}` or `{"accept": false, "reason": "…"}`
 */
function readAnswer(body: Uint8Array): ParticipantAnswer {
  let value: unknown
  try {
    value = parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw new Error(error instanceof InexactNumber ? `In its answer, ${error.message}` : 'Its answer is not JSON')
  }
  return checkAnswer(value)
}

/**
 * Checks the value of an answer.
 * @throws Error if it is not an answer, or has more than one
 */
export function checkAnswer(value: unknown): ParticipantAnswer {
  const { accept, reason, ...others } = (value ?? {}) as { accept?: unknown; reason?: unknown }
  const unknown = Object.entries(others).find(([, member]) => member !== undefined)
  // A participant that sends more expects more than an answer does. Ignoring it would hide that.
  if (unknown !== undefined && typeof accept === 'boolean')
    throw new Error(
      `Its answer has the unknown member ${JSON.stringify(unknown[0].slice(0, LONGEST_MEMBER))}. An answer has "accept" and "reason" only`,
    )
  if (accept === true) return { accept: true }
  const isReason = reason === undefined || reason === null || typeof reason === 'string'
  if (accept === false && isReason) return { accept: false, reason: reason ?? null }
  throw new Error('Its answer is neither {"accept": true} nor {"accept": false, "reason": "…"}')
}
