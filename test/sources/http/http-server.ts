import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface TestServer {
  readonly origin: string
  /** The requests, in order. */
  readonly requests: IncomingMessage[]
  /** Sets the answers for a path. Each answers one request, the last one all further requests. */
  answer(path: string, ...answers: Answer[]): void
  close(): Promise<void>
}

/** A real HTTP server. Paths without an answer are 404. */
export async function startHttpServer(): Promise<TestServer> {
  const answers = new Map<string, Answer[]>()
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    const waiting = answers.get(request.url!)
    const answer = waiting === undefined || waiting.length > 1 ? waiting?.shift() : waiting[0]
    if (answer === undefined) return void response.writeHead(404).end()
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: (path, ...given) => void answers.set(path, given),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Answers with a JSON value. */
export const json =
  (value: unknown, headers: Record<string, string | string[]> = {}, status = 200): Answer =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))

/** Answers with a text. */
export const text =
  (
    body: string | Buffer,
    headers: Record<string, string> = { 'content-type': 'application/json' },
    status = 200,
  ): Answer =>
  (_, response) =>
    response.writeHead(status, headers).end(body)

/** Answers like a server with ETags: 304 if the request has the current one. */
export const tagged =
  (
    etag: string,
    value: unknown,
    headers: Record<string, string> = {},
    headers304: Record<string, string> = {},
  ): Answer =>
  (request, response) => {
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag, ...headers304 }).end()
    response.writeHead(200, { 'content-type': 'application/json', etag, ...headers }).end(JSON.stringify(value))
  }

export const entry = (id: string, data: unknown = null, kind = 'test.thing') => ({ id, kind, meta: {}, data })
