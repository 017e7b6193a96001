import { CommandFailure, EXIT } from '../terminal/command-failure.js'
import type { TypedDocument } from './gateway-documents.js'

export interface GatewayClientOptions {
  readonly url: URL
  readonly author: string | undefined
  /** Longest wait for an answer; undefined takes the default of reads and of writes. */
  readonly timeoutMs: number | undefined
}

type Access = 'read' | 'write'

/** A write waits for participants, 300 s in total by default, which is also how long fetch waits for an answer at most. */
const DEFAULT_TIMEOUT_MS: Record<Access, number> = { read: 30_000, write: 295_000 }

/** Of these the gateway says by itself that it cannot serve now. */
const OUT_OF_SERVICE = new Set(['UNAVAILABLE', 'OUTCOME_UNKNOWN'])

/** A connection that broke, as an idle one does when the gateway closes it just then: worth asking once more. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

interface GraphQLAnswer {
  readonly data?: unknown
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[]
}

/** Speaks GraphQL over HTTP with one gateway. Every call settles; its failures carry the exit code. */
export class GatewayClient {
  constructor(readonly options: GatewayClientOptions) {}

  /**
   * Runs a query or a mutation. If the connection breaks, the request is sent a second time, so a mutation that is not
   * idempotent by itself must carry an idempotency key.
   * @throws CommandFailure refused (the gateway returned errors) or unreachable
   */
  async run<Result, Variables>(
    { type, text }: TypedDocument<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    const body = JSON.stringify({ query: text, variables })
    const access = type === 'query' ? 'read' : 'write'
    const timeoutMs = this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS[access]
    const deadline = AbortSignal.timeout(timeoutMs)
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#read<Result>(await this.#send(body, deadline))
      } catch (error) {
        if (error instanceof CommandFailure) throw error
        const code = causeCode(error)
        if (attempt === 1 && BROKEN.has(code)) continue
        throw this.#unreachable(error, code, timeoutMs, access)
      }
    }
  }

  async #send(body: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
    const { url, author } = this.options
    const headers = {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      // A header carries bytes: UTF-8 is spelled out as such, what the gateway reads back.
      ...(author === undefined ? {} : { 'x-cadastre-author': Buffer.from(author, 'utf8').toString('latin1') }),
    }
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' })
    return { status: response.status, text: await response.text() }
  }

  #read<Data>({ status, text }: { status: number; text: string }): Data {
    let answer: GraphQLAnswer
    try {
      answer = JSON.parse(text) as GraphQLAnswer
    } catch {
      throw this.#notAGateway(`HTTP ${status} and no JSON`)
    }
    if (answer.errors !== undefined && answer.errors.length > 0) throw failureOfErrors(answer.errors)
    if (answer.data === undefined || answer.data === null) throw this.#notAGateway(`HTTP ${status} without data`)
    return answer.data as Data
  }

  #notAGateway(answered: string): CommandFailure {
    return new CommandFailure(
      EXIT.unreachable,
      `${this.options.url.href} is no gateway: it answered ${answered}`,
      'NOT_A_GATEWAY',
    )
  }

  #unreachable(error: unknown, code: string, timeoutMs: number, access: Access): CommandFailure {
    const { href } = this.options.url
    const outcome = 'Whether it was applied is not known: look at `cadastre log`, or run the same again'
    const unknown = access === 'write' ? `. ${outcome}` : ''
    if ((error as Error).name === 'TimeoutError') {
      return new CommandFailure(
        EXIT.unreachable,
        `${href} gave no answer within ${timeoutMs / 1000} s${unknown}`,
        'TIMEOUT',
      )
    }
    if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
      const advice = '`cadastre serve` starts one, --url names another'
      return new CommandFailure(EXIT.unreachable, `no gateway at ${href} (${code}): ${advice}`, code)
    }
    return new CommandFailure(EXIT.unreachable, `${href} cannot be reached: ${causeMessage(error)}${unknown}`, code)
  }
}

/** The gateway's errors as one failure: the first code decides. */
export function failureOfErrors(
  errors: readonly { message: string; extensions?: { readonly code?: string } }[],
): CommandFailure {
  const code = errors[0]?.extensions?.code ?? 'ERROR'
  const message = errors.map((error) => error.message).join('; ')
  return new CommandFailure(OUT_OF_SERVICE.has(code) ? EXIT.unreachable : EXIT.refused, message, code)
}

/** fetch says "fetch failed" and keeps the reason below, for two addresses of one name in a list of their own. */
function causeOf(error: unknown): { code?: unknown; message?: unknown } {
  const cause: unknown = (error as { cause?: unknown }).cause ?? error
  const inner: unknown = (cause as { errors?: unknown[] }).errors?.[0]
  return (inner ?? cause) as { code?: unknown; message?: unknown }
}

function causeCode(error: unknown): string {
  const { code } = causeOf(error)
  return typeof code === 'string' ? code : 'UNREACHABLE'
}

function causeMessage(error: unknown): string {
  const { message } = causeOf(error)
  return typeof message === 'string' && message !== '' ? message : String(error)
}
