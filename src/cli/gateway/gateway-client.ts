import { jsonText } from '../../core/entry/negative-zero.js'
import { isOutageCode } from '../../core/errors/codes.js'
import { CommandFailure, EXIT, type ForeignCode } from '../terminal/command-failure.js'
import type { TypedDocument } from './gateway-documents.js'
import { type ReceivedAnswer, sendRequest } from './send-request.js'

export interface GatewayClientOptions {
  readonly url: URL
  readonly author: string | undefined
  /** Milliseconds to wait for an answer. Undefined means the default for reads or writes. */
  readonly timeoutMs: number | undefined
}

type Access = 'read' | 'write'

/** A write waits for participants, 300 s in total by default. */
const DEFAULT_TIMEOUT_MS: Record<Access, number> = { read: 30_000, write: 295_000 }

/** Errors of a broken connection. An idle connection breaks if the gateway closes it at the same moment, so it is retried. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE'])

interface GraphQLAnswer {
  readonly data?: unknown
  readonly errors?: readonly AnsweredError[]
}

interface AnsweredError {
  readonly message: string
  readonly extensions?: { readonly code?: string }
}

/** A client of one gateway, over HTTP. Every call settles. Its failures carry the exit code. */
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
    const body = jsonText({ query: text, variables })
    const access = type === 'query' ? 'read' : 'write'
    const timeoutMs = this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS[access]
    const deadline = AbortSignal.timeout(Math.ceil(timeoutMs))
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

  #send(body: string, signal: AbortSignal): Promise<ReceivedAnswer> {
    const { url, author } = this.options
    const headers = {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      // A header is a byte string. The gateway decodes it as UTF-8.
      ...(author === undefined ? {} : { 'x-cadastre-author': Buffer.from(author, 'utf8').toString('latin1') }),
    }
    return sendRequest(url, { headers, body, signal })
  }

  #read<Data>({ status, text }: ReceivedAnswer): Data {
    const answer = parseAnswer(text)
    if (answer === undefined) throw this.#notAGateway(`HTTP ${status} without JSON`)
    if (answer.errors !== undefined && answer.errors.length > 0) throw failureOfErrors(answer.errors)
    if (!isObject(answer.data) || Object.keys(answer.data).length === 0)
      throw this.#notAGateway(`HTTP ${status} without data`)
    return answer.data as Data
  }

  #notAGateway(answered: string): CommandFailure {
    return new CommandFailure(
      EXIT.unreachable,
      `${this.options.url.href} is not a gateway. It answered ${answered}`,
      'NOT_A_GATEWAY',
    )
  }

  #unreachable(error: unknown, code: string, timeoutMs: number, access: Access): CommandFailure {
    const { href } = this.options.url
    const outcome = 'It may have been applied: check `cadastre log`, or run the same command again'
    const unknown = access === 'write' ? `. ${outcome}` : ''
    if ((error as Error).name === 'TimeoutError') {
      return new CommandFailure(
        EXIT.unreachable,
        `${href} did not answer within ${timeoutMs / 1000} s${unknown}`,
        'TIMEOUT',
      )
    }
    if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
      const advice = 'Start one with `cadastre serve`, or name another with --url'
      return new CommandFailure(
        EXIT.unreachable,
        `No gateway answers at ${href} (${code}). ${advice}`,
        code as ForeignCode,
      )
    }
    return new CommandFailure(
      EXIT.unreachable,
      `${href} cannot be reached: ${causeMessage(error)}${unknown}`,
      code as ForeignCode,
    )
  }
}

/** Reads what may be the answer of any other server. Undefined means that it is not JSON. */
function parseAnswer(text: string): GraphQLAnswer | undefined {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(answer)) return {}
  const { errors } = answer
  const isList =
    Array.isArray(errors) && errors.every((error) => isObject(error) && typeof error['message'] === 'string')
  return errors === undefined || isList ? answer : { data: answer['data'] }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Turns GraphQL errors into one failure. The first error's code decides the exit code. */
export function failureOfErrors(errors: readonly AnsweredError[]): CommandFailure {
  const code = errors[0]?.extensions?.code ?? 'ERROR'
  const message = errors.map((error) => error.message).join('; ')
  return new CommandFailure(isOutageCode(code) ? EXIT.unreachable : EXIT.refused, message, code as ForeignCode)
}

/** The cause of a failed request. If the host has several addresses, each has an error of its own. */
function causeOf(error: unknown): { code?: unknown; message?: unknown } {
  const inner: unknown = (error as { errors?: unknown[] }).errors?.[0]
  return (inner ?? error) as { code?: unknown; message?: unknown }
}

function causeCode(error: unknown): string {
  const { code } = causeOf(error)
  return typeof code === 'string' ? code : 'UNREACHABLE'
}

function causeMessage(error: unknown): string {
  const { message } = causeOf(error)
  return typeof message === 'string' && message !== '' ? message : String(error)
}
