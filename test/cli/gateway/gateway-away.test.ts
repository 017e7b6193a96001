import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli } from '../cli-fixture.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cadastre-away-'))
  await writeFile(join(folder, 'a.json'), '[{"id": "a:1", "kind": "k"}]')
})
afterAll(() => rm(folder, { recursive: true }))

/** Every command that talks to a gateway. */
const COMMANDS: readonly (readonly string[])[] = [
  ['apply', 'FILE'],
  ['plan', 'FILE', '--prune'],
  ['export'],
  ['get', 'a:1'],
  ['find'],
  ['log'],
  ['log', '--transitions'],
  ['diff', 'v0', 'head'],
  ['rollback', 'v0'],
  ['revert', 'v1'],
  ['tag'],
  ['tag', 'x', 'v0'],
  ['tag', 'x', '--delete'],
  ['compact', 'r1'],
  ['instances', 'a:1'],
  ['source', 'list'],
  ['source', 'reload', 'app'],
  ['source', 'plan', 'app'],
  ['watch'],
]

const asHtml = (status: number) => (server: Server) =>
  server.on('request', (_, response) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html></html>'),
  )
const asJson = (body: string) => (server: Server) =>
  server.on('request', (_, response) => response.setHeader('content-type', 'application/json').end(body))

/** Servers whose answer does not end. The others are waited for, however busy the machine is. */
const WITHOUT_END = new Set(['nothing, ever', 'a byte now and then, without end'])
const ANSWERING = 60
const SILENT = 0.3

/** Servers that are no gateway, and gateways that are away. */
const SERVERS: Record<string, (server: Server) => unknown> = {
  'a page': asHtml(200),
  'the page of a proxy': asHtml(502),
  'a redirect': (server) =>
    server.on('request', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()),
  null: asJson('null'),
  'a list': asJson('[]'),
  'a text': asJson('"x"'),
  'an empty object': asJson('{}'),
  'no data': asJson('{"data": null}'),
  'empty data': asJson('{"data": {}}'),
  'a list of data': asJson('{"data": [1]}'),
  'errors of another form': asJson('{"errors": "x"}'),
  'errors without messages': asJson('{"errors": [null, {"message": 1}]}'),
  'a closed connection': (server) => server.on('request', ({ socket }) => socket.destroy()),
  'half an answer': (server) =>
    server.on('request', ({ socket }, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"data"')
      setTimeout(() => socket.destroy(), 20)
    }),
  'nothing, ever': (server) => server.on('request', () => undefined),
  'a byte now and then, without end': (server) =>
    server.on('request', (_, response) => {
      const timer = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(timer))
    }),
}

describe.each(Object.entries(SERVERS))('a server that answers %s', (name, prepare) => {
  const isSilent = WITHOUT_END.has(name)
  let server: Server
  let url: string
  beforeAll(async () => {
    server = createServer()
    prepare(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  it('is reported by each command in one line, with exit code 3', async () => {
    const run = (...argv: string[]) => cli({ url }, ...argv, '--timeout', String(isSilent ? SILENT : ANSWERING))
    await Promise.all(
      COMMANDS.map(async (command) => {
        const argv = command.map((part) => (part === 'FILE' ? join(folder, 'a.json') : part))
        const { code, out, err } = await run(...argv)
        expect({ command, code, out }).toEqual({ command, code: 3, out: '' })
        expect(err).toMatch(/^error [^\n]+\n$/)
        expect(err).toContain(url)
        expect(err).not.toMatch(/\bTypeError|Cannot read| at \//)
        const machine = await run(...argv, '--json')
        const { code: errorCode, message } = JSON.parse(machine.err).error
        expect([errorCode, `error ${message}\n`]).toEqual([expect.stringMatching(/^[A-Z_]+$/), err])
      }),
    )
  })
})
