import { afterEach, describe, expect, it } from 'vitest'
import type { ParsingRules } from '../../../src/sources/parsing/parse-job.js'
import {
  type ParseOptions,
  ParsingEnded,
  type ParsingLimits,
  ParsingThread,
} from '../../../src/sources/parsing/parsing-thread.js'

const ENTRIES: ParsingRules = { form: 'entry', schemas: [], entryBytes: 1_000_000 }
const good = (name: string) => JSON.stringify({ id: `a:${name}`, kind: 'k', data: name })
/** Backtracks about 2^40 times. */
const EVIL = { pattern: '^(a+)+$', text: `${'a'.repeat(40)}!` }

const threads: ParsingThread[] = []
afterEach(() => Promise.all(threads.splice(0).map((thread) => thread.close())))

function open(limits: Partial<ParsingLimits> = {}) {
  const thread = new ParsingThread({ parseMs: 15_000, parseMegabytes: 1_024, ...limits })
  threads.push(thread)
  const parse = (location: string, text: string, rules = ENTRIES, options: ParseOptions = {}) =>
    thread.parse(rules, { type: 'file', location, text }, options)
  return { thread, parse }
}

const messages = (parsed: Awaited<ReturnType<ParsingThread['parse']>>) =>
  parsed.failures.map(({ file, message }) => `${file}: ${message}`)

/** How often this thread ran other work until a promise settled. */
async function ticksDuring(work: Promise<unknown>): Promise<number> {
  let ticks = 0
  const timer = setInterval(() => void ticks++, 10)
  await work.finally(() => clearInterval(timer))
  return ticks
}

describe('the parsing thread', () => {
  it('returns the entries and failures of many texts', async () => {
    const { parse } = open()
    const all = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) => parse(`${n}.json`, n % 100 === 99 ? '[{' : good(String(n)))),
    )
    expect(all.map(({ entries }) => entries.map(({ id }) => id).join())).toEqual(
      Array.from({ length: 1_000 }, (_, n) => (n % 100 === 99 ? '' : `a:${n}`)),
    )
    expect(all.filter(({ failures }) => failures.length > 0)).toHaveLength(10)
    expect(all[99]!.failures[0]).toMatchObject({ file: '99.json', line: 1 })
    expect(all[5]!.entries[0]!.content).toMatchObject({
      kind: 'k',
      metaText: '{}',
      dataText: '"5"',
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  it('reads referenced files, and reports why one cannot be read', async () => {
    const { parse } = open()
    const read = (reference: string) =>
      reference === 'x.txt' ? Promise.resolve('text') : Promise.reject(new Error('no such disk'))
    const text = '[{"id":"a:1","kind":"k","data":"file://x.txt"},{"id":"a:2","kind":"k","data":"file://y.txt"}]'
    const parsed = await parse('a.json', text, ENTRIES, { read })
    expect(parsed.entries.map(({ content }) => content.dataText)).toEqual(['"text"'])
    expect(messages(parsed)).toEqual(['a.json: file://y.txt cannot be read: no such disk'])
  })

  it.each([
    [
      'a mapping that backtracks',
      EVIL.text,
      { ...ENTRIES, form: { id: '"a:" & ($match(data, /^(a+)+$/) ? 1 : 2)', kind: '"k"' } },
    ],
    [
      'a schema that backtracks',
      EVIL.text,
      {
        ...ENTRIES,
        schemas: [
          { pattern: '**', path: 's.json', text: JSON.stringify({ properties: { data: { pattern: EVIL.pattern } } }) },
        ],
      },
    ],
    ['YAML that is made to be slow', undefined, ENTRIES],
  ] as const)(
    'gives up %s, names it, continues with the rest, and never blocks this thread',
    async (_what, evil, rules) => {
      const { parse } = open({ parseMs: 600 })
      const hostile =
        evil === undefined ? '"'.repeat(4_000_000) : JSON.stringify({ id: 'a:evil', kind: 'k', data: evil })
      const harmless = JSON.stringify({ id: 'a:evil', kind: 'k', data: 'aa' })
      const work = Promise.all([
        parse('before.json', harmless, rules),
        parse('evil.yaml', hostile, rules),
        parse('after.json', harmless, rules),
      ])
      const ticks = await ticksDuring(work)
      const [before, given, after] = await work
      expect(messages(given)).toEqual(['evil.yaml: takes longer than 0.6 s to parse'])
      expect([given.isTooCostly, before.isTooCostly, after.isTooCostly]).toEqual([true, false, false])
      expect([before, after].map(({ entries, failures }) => [entries.length, failures.length])).toEqual([
        [1, 0],
        [1, 0],
      ])
      expect(ticks).toBeGreaterThan(2)
    },
    60_000,
  )

  it('gives up a text that exceeds its memory, and continues', async () => {
    const { parse } = open({ parseMegabytes: 40 })
    const [given, after] = await Promise.all([
      parse('big.json', `[${'[],'.repeat(4_000_000)}[]]`),
      parse('after.json', good('1')),
    ])
    expect(messages(given)).toEqual(['big.json: takes more than 40 MB of memory to parse'])
    expect(after.entries).toHaveLength(1)
  })

  it('settles aborted jobs, and all jobs when it is closed', async () => {
    const { parse, thread } = open()
    const calls = new AbortController()
    const slow = '"'.repeat(2_000_000)
    const dropped = parse('slow.yaml', slow, ENTRIES, { signal: calls.signal })
    const left = parse('left.yaml', slow)
    const why = expect(dropped).rejects.toThrow('enough')
    calls.abort(new Error('enough'))
    await why
    const ended = expect(left).rejects.toThrow(ParsingEnded)
    await thread.close()
    await ended
    await expect(parse('late.json', good('1'))).rejects.toThrow(ParsingEnded)
  })
})
