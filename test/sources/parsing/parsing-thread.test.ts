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
/** Backtracks some 2^40 times. */
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

/** The longest that this thread had no turn while something went on. */
async function longestGap(work: Promise<unknown>): Promise<number> {
  let last = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 10)
  await work.finally(() => clearInterval(timer))
  return longest
}

describe('the thread that parses', () => {
  it('gives what each of many texts holds, and what is wrong with it', async () => {
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

  it('has files read that a text refers to, and tells why one cannot be', async () => {
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
    'gives up %s, names it, goes on with the rest, and keeps nobody waiting',
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
      const gap = await longestGap(work)
      const [before, given, after] = await work
      expect(messages(given)).toEqual(['evil.yaml: takes longer than 0.6 s to parse'])
      expect([given.isTooCostly, before.isTooCostly, after.isTooCostly]).toEqual([true, false, false])
      expect([before, after].map(({ entries, failures }) => [entries.length, failures.length])).toEqual([
        [1, 0],
        [1, 0],
      ])
      expect(gap).toBeLessThan(2_000)
    },
    60_000,
  )

  it('gives up what fills its memory, and goes on', async () => {
    const { parse } = open({ parseMegabytes: 40 })
    const [given, after] = await Promise.all([
      parse('big.json', `[${'[],'.repeat(4_000_000)}[]]`),
      parse('after.json', good('1')),
    ])
    expect(messages(given)).toEqual(['big.json: takes more than 40 MB of memory to parse'])
    expect(after.entries).toHaveLength(1)
  }, 60_000)

  it('lets go who does not wait any more, and who is left when it is closed', async () => {
    const { parse, thread } = open()
    const calls = new AbortController()
    const slow = '"'.repeat(2_000_000)
    const dropped = parse('slow.yaml', slow, ENTRIES, { signal: calls.signal })
    const left = parse('left.yaml', slow)
    const why = expect(dropped).rejects.toThrow('enough')
    calls.abort(new Error('enough'))
    await why
    const ended = expect(left).rejects.toThrow(ParsingEnded)
    const begun = performance.now()
    await thread.close()
    await ended
    expect(performance.now() - begun).toBeLessThan(3_000)
    await expect(parse('late.json', good('1'))).rejects.toThrow(ParsingEnded)
  }, 60_000)
})
