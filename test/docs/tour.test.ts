import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pc from 'picocolors'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/run-cli.js'
import type { Gateway } from '../../src/server/gateway.js'
import { openGateway } from '../cli/cli-fixture.js'
import { codeBlocks, consoleSteps, ROOT, readText, shellWords } from './markdown.js'

/*
 * The README's commands, run one after another against one gateway, each to answer what the README shows.
 * Only what differs by nature from run to run is passed over: instants.
 */

const readme = readText('README.md')
const blocks = codeBlocks(readme)
const steps = codeBlocks(readme, 'console').flatMap(({ text }) => consoleSteps(text))
const isWatch = (command: string) => command.startsWith('npx cadastre watch')
const watched = /^(r\d+ v\d+ [+~-] .*\n)+$/

const folder = mkdtempSync(join(tmpdir(), 'cadastre-docs-'))
const stop = new AbortController()
let gateway: Gateway
let watching: Promise<unknown> = Promise.resolve()
let heard = ''

const shown = (text: string) =>
  text.replaceAll(`${folder}/`, '').replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<instant>')

const here = (text: string) => text.replaceAll('http://127.0.0.1:4000/graphql', gateway.endpoint)

async function cadastre(argv: readonly string[], print: (text: string) => void): Promise<void> {
  const words = argv.map((word) => (word === 'shop.yaml' ? join(folder, word) : word))
  const terminal = {
    write: async (text: string) => print(text),
    note: (line: string) => print(`${line}\n`),
    colors: pc.createColors(false),
    showsProgress: false,
    interrupt: () => stop.signal,
  }
  await runCli(words, { terminal, defaultUrl: gateway.url, version: '0.0.0' })
}

/** Reads as much as is shown: a stream has no end. */
async function curl(words: readonly string[], shownLength: number): Promise<string> {
  const headers = Object.fromEntries(
    words.flatMap((word, i) => (word === '-H' ? [words[i + 1]!.split(/: */, 2)] : [])),
  ) as Record<string, string>
  const url = words.find((word) => word.startsWith('http:'))!
  const response = await fetch(here(url), { method: 'POST', headers, body: words[words.indexOf('-d') + 1]! })
  const streams = headers['accept'] === 'text/event-stream'
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (streams && text.length > shownLength) break
  }
  return `${text.trimEnd()}\n`
}

async function run(command: string, shownLength: number): Promise<string> {
  const [program, ...words] = shellWords(command)
  if (program === 'curl') return curl(words, shownLength)
  expect([program, words[0]]).toEqual(['npx', 'cadastre'])
  let printed = ''
  await cadastre(words.slice(1), (text) => {
    printed += text
  })
  return printed
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 15_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 20))) {
    if (Date.now() > end) throw new Error(`${what} did not come`)
  }
}

beforeAll(async () => {
  gateway = await openGateway()
  writeFileSync(join(folder, 'shop.yaml'), codeBlocks(readme, 'yaml')[0]!.text)
})

afterAll(async () => {
  stop.abort()
  await watching
  await gateway.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the tour in the README', () => {
  it('has steps', () => {
    expect(steps.length).toBeGreaterThan(10)
  })

  it.each(steps.map(({ command, output }) => [command.split('\n')[0]!, command, output]))(
    '%s',
    async (_, command, output) => {
      if (isWatch(command)) {
        watching = cadastre(shellWords(command).slice(2), (text) => {
          heard += text
        })
        await until('the entries as they stand', () => heard.length >= output.length)
        expect(heard).toBe(output)
        return
      }
      expect(shown(await run(command, output.length))).toBe(shown(output))
    },
  )

  it('shows in the second terminal what the first one did', async () => {
    const first = steps.find(({ command }) => isWatch(command))!.output
    const rest = blocks
      .filter(({ language, text }) => language === '' && watched.test(text))
      .map(({ text }) => text)
      .join('')
    expect(rest).not.toBe('')
    await until('the changes', () => heard.length >= (first + rest).length)
    expect(heard).toBe(first + rest)
  })

  it('follows from the program that it shows', async () => {
    const program = codeBlocks(readme, 'js')
      .map(({ text }) => text)
      .join('')
    const pointed = program.replace('ws://127.0.0.1:4000/graphql', gateway.endpoint.replace('http:', 'ws:'))
    const child = spawn(process.execPath, ['--input-type=module', '-e', pointed], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    try {
      await until(`the entries as they stand (${err})`, () => out.includes('shop:db'))
      await run('npx cadastre rollback v2', 0)
      await until('the rollback', () => out.includes('r5 CREATE'))
      expect(out).toBe('r4 CREATE shop:cart\nr4 CREATE shop:db\nr5 CREATE shop:api\n')
      expect(err).toBe('')
    } finally {
      child.kill('SIGKILL')
    }
  })
})
