import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { documentExamples, documentFiles, type Example } from './document-examples.js'
import { ExampleRunner, until } from './example-runner.js'
import { codeBlocks, DOCUMENTS, ROOT, readText } from './markdown.js'

/*
 * Runs every example of README.md and docs/ in order and compares the output with the shown one.
 * Only instants, ids and tokens may differ. A page continues from the tour unless it shows a cadastre.yaml.
 */

const TOUR = 'README.md'
const tour = documentExamples(readText(TOUR))
const pages = DOCUMENTS.filter((path) => /^docs\//.test(path) && documentExamples(readText(path)).length > 0)

const isWatch = (example: Example) => example.kind === 'command' && example.command.startsWith('npx cadastre watch')
const titled = (examples: readonly Example[]) =>
  examples.map(
    (example) => [(example.kind === 'command' ? example.command : example.query).split('\n')[0]!, example] as const,
  )

async function check(runner: ExampleRunner, example: Example): Promise<void> {
  if (example.kind === 'graphql') await runner.graphql(example)
  else expect(await runner.command(example)).toBe(runner.printed(example.output))
}

describe('the tour in README.md', () => {
  let runner: ExampleRunner
  beforeAll(async () => {
    runner = await ExampleRunner.open(documentFiles(readText(TOUR)))
  })
  afterAll(() => runner.close())

  it('has steps', () => {
    expect(tour.length).toBeGreaterThan(10)
  })

  it.each(titled(tour))('%s', (_, example) => check(runner, example))

  it('shows in the second terminal what the first one changed', async () => {
    const first = tour.find(isWatch) as { output: string }
    const rest = codeBlocks(readText(TOUR))
      .filter(({ language, text }) => language === '' && /^(r\d+ v\d+ [+~-] .*\n)+$/.test(text))
      .map(({ text }) => text)
      .join('')
    expect(rest).not.toBe('')
    await until('the changes', () => runner.watched.length >= (first.output + rest).length)
    expect(runner.watched).toBe(first.output + rest)
  })
})

describe.each(pages)('%s', (path) => {
  const markdown = readText(path)
  const files = documentFiles(markdown)
  let runner: ExampleRunner
  beforeAll(async () => {
    runner = await ExampleRunner.open(new Map([...documentFiles(readText(TOUR)), ...files]))
    if (files.has('cadastre.yaml')) return
    for (const example of tour) if (!isWatch(example)) await check(runner, example)
  })
  afterAll(() => runner.close())

  it.each(titled(documentExamples(markdown)))('%s', (_, example) => check(runner, example))

  const programs = codeBlocks(markdown, 'js').filter(({ name }) => name === '')
  if (programs.length === 0) return

  it('follows changes by the program that it shows', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', programs[0]!.text], {
      cwd: ROOT,
      env: { ...process.env, CADASTRE_URL: runner.gateway.endpoint },
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
      await until('the current entries', () => out.includes('shop:db'))
      await runner.command({ kind: 'command', command: 'npx cadastre rollback v2', output: '' })
      await until('the rollback', () => out.includes('r5 CREATE'))
      expect(out).toBe('r4 CREATE shop:cart\nr4 CREATE shop:db\nr5 CREATE shop:api\n')
      expect(err).toBe('')
    } finally {
      child.kill('SIGKILL')
    }
  })
})
