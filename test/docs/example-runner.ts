import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pc from 'picocolors'
import { expect } from 'vitest'
import { runCli } from '../../src/cli/run-cli.js'
import { loadConfig } from '../../src/server/config/config.js'
import { type Gateway, startGateway } from '../../src/server/gateway.js'
import type { CommandExample, GraphqlExample } from './document-examples.js'
import { shellWords } from './markdown.js'

/** Runs the examples of one document against a gateway of its own. */
export class ExampleRunner {
  /** The output of `watch`, which runs until the runner closes. */
  watched = ''
  readonly #stop = new AbortController()
  readonly #bound = new Map<string, unknown>()
  #watching: Promise<unknown> = Promise.resolve()

  private constructor(
    readonly gateway: Gateway,
    private readonly folder: string,
  ) {}

  /** Writes the document's files into a temporary folder and starts a gateway there. */
  static async open(files: ReadonlyMap<string, string>): Promise<ExampleRunner> {
    const folder = mkdtempSync(join(tmpdir(), 'cadastre-docs-'))
    for (const [name, text] of files) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    const config = loadConfig({ CADASTRE_STORE: 'memory', PORT: '0', CADASTRE_LOG_LEVEL: 'silent' }, folder)
    return new ExampleRunner(await startGateway(config), folder)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#watching
    await this.gateway.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Runs a command and returns its output, with instants and folders replaced. */
  async command({ command, output }: CommandExample): Promise<string> {
    const [program, ...words] = shellWords(command)
    if (program === 'curl') return this.#curl(words, output.length)
    expect([program, words[0]]).toEqual(['npx', 'cadastre'])
    if (words[1] === 'watch') {
      this.#watching = this.#cadastre(words.slice(1), (text) => {
        this.watched += text
      })
      await until('the current entries', () => this.watched.length >= output.length)
      return this.watched
    }
    let printed = ''
    await this.#cadastre(words.slice(1), (text) => {
      printed += text
    })
    return this.printed(printed)
  }

  /** Replaces whatever differs from run to run. */
  printed(text: string): string {
    return text.replaceAll(`${this.folder}/`, '').replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<instant>')
  }

  /** Sends a GraphQL document and holds the answer against the shown result, if there is one. */
  async graphql({ query, variables, result }: GraphqlExample): Promise<void> {
    const filled = JSON.parse(variables, (_, value) => (this.#bound.has(value) ? this.#bound.get(value) : value))
    const isStream = /^\s*subscription\b/m.test(query)
    const response = await fetch(this.gateway.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(isStream && { accept: 'text/event-stream' }) },
      body: JSON.stringify({ query, variables: filled }),
    })
    const { data, errors } = isStream ? await firstEvent(response) : await response.json()
    expect(errors).toBeUndefined()
    if (result !== undefined) expect(this.#bind(data, result)).toEqual(result)
  }

  /** A copy of the actual value in which everything that the shown value calls `<name>` is that name. */
  #bind(actual: any, shown: any): unknown {
    if (typeof shown === 'string' && /^<\w+>$/.test(shown)) {
      const known = this.#bound.has(shown) ? this.#bound.get(shown) : actual
      this.#bound.set(shown, known)
      return actual !== undefined && actual === known ? shown : actual
    }
    if (Array.isArray(actual) && Array.isArray(shown)) return actual.map((item, i) => this.#bind(item, shown[i]))
    if (typeof actual !== 'object' || actual === null || typeof shown !== 'object' || shown === null) return actual
    return Object.fromEntries(Object.entries(actual).map(([key, value]) => [key, this.#bind(value, shown[key])]))
  }

  async #cadastre(argv: readonly string[], print: (text: string) => void): Promise<void> {
    const words = argv.map((word) => (word === 'shop.yaml' ? join(this.folder, word) : word))
    const terminal = {
      write: async (text: string) => print(text),
      note: (line: string) => print(`${line}\n`),
      colors: pc.createColors(false),
      showStatus: () => {},
      showsProgress: false,
      interrupt: () => this.#stop.signal,
    }
    await runCli(words, { terminal, defaultUrl: this.gateway.url, version: '0.0.0' })
  }

  /** Reads only as much of a stream as the document shows. */
  async #curl(words: readonly string[], shownLength: number): Promise<string> {
    expect(words).toContain('$CADASTRE_URL')
    const headers = Object.fromEntries(
      words.flatMap((word, i) => (word === '-H' ? [words[i + 1]!.split(/: */, 2)] : [])),
    ) as Record<string, string>
    const body = words[words.indexOf('-d') + 1]!
    const response = await fetch(this.gateway.endpoint, { method: 'POST', headers, body })
    const isStream = headers['accept'] === 'text/event-stream'
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (isStream && text.length > shownLength) break
    }
    return `${text.trimEnd()}\n`
  }
}

async function firstEvent(response: Response): Promise<any> {
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const data = /^data: (.*)\n/m.exec(text)
    if (data !== null) return JSON.parse(data[1]!)
  }
  throw new Error(`The stream ended without an event: ${text}`)
}

/** Waits for a condition. @throws Error after a minute */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (Date.now() > end) throw new Error(`Waited 60 s for ${what}.`)
  }
}
