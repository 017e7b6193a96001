import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli } from '../cli/cli-fixture.js'
import { startTestGateway, type TestGateway } from './gateway-fixture.js'

/*
 * Every JSON text, whatever its way through the gateway, comes out with the value that JSON.parse gives, or is refused with its
 * place. Values are compared by a text that shows -0 and the order of keys, which `toEqual` ignores.
 */
function shown(value: unknown): string {
  if (Object.is(value, -0)) return '-0'
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(shown).join()}]`
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${shown(item)}`)
    .join()}}`
}

const INEXACT = ['9007199254740993', '-9007199254740993.0', '12345678901234567890.0', '1e400', '1e-400', '1E+9999']
const exact = fc.oneof(
  fc.constantFrom('-0', '-0.0', '0e5', '-0E-0', '1E+2', '100e-2', '1e23', '5e-324', '12345678901234567168', '1.50'),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((double) => (Object.is(double, -0) ? '-0' : JSON.stringify(double))),
  fc.maxSafeInteger().map(String),
)
const string = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\n',
    ' \n',
    '\ufeff',
    '-0',
    '1e400',
    'null',
    '~',
    '<<',
    '__proto__',
    'constructor',
    '2',
    '10',
    '0x1',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
)
/** Some strings as they are written with escapes for every character. */
const written = fc
  .tuple(string, fc.boolean())
  .map(([text, escapes]) =>
    escapes
      ? `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(text),
  )
const members = (value: fc.Arbitrary<string>) =>
  fc
    .uniqueArray(fc.tuple(written, value), { maxLength: 5, selector: ([key]) => JSON.parse(key) as string })
    .map((all) => `{${all.map(([key, item]) => `${key}:${item}`).join()}}`)
const json = (number: fc.Arbitrary<string>) =>
  fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      number,
      written,
      fc.constantFrom('null', 'true', 'false', '[]', '{}', '[[]]', '{"":{}}'),
      fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(' ,\n')}]`),
      members(tie('value')),
    ),
  })).value

const deep = (levels: number) => `${'[{"k":'.repeat(levels / 2)}-0${'}]'.repeat(levels / 2)}`

const WRITE = `mutation ($operations: [OperationInput!]!) { applyChangeset(input: {operations: $operations}) {
  __typename ... on Refused { problems { code operation message } } } }`

describe('every JSON text survives', () => {
  let folder: string
  let gateway: TestGateway
  let other: TestGateway
  let runs = 0

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cadastre-json-'))
    mkdirSync(join(folder, 'entries'))
    mkdirSync(join(folder, 'foreign'))
    gateway = await startTestGateway('postgres')
    other = await startTestGateway(
      'memory',
      `sources:
  - { name: files, provider: filesystem, path: ${folder}/entries, form: entry, watch: false, allowEmpty: true }
  - name: mapped
    provider: filesystem
    path: ${folder}/foreign
    watch: false
    allowEmpty: true
    form: { id: '"mapped:" & name', kind: '"k"', meta: '{"m": $}', data: '$' }
`,
    )
  })
  afterAll(async () => {
    await gateway.close()
    await other.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const write = async (to: TestGateway, operations: string) =>
    JSON.parse((await to.send(`{"query":${JSON.stringify(WRITE)},"variables":{"operations":[${operations}]}}`)).text)
      .data.applyChangeset
  const creates = (ns: string, texts: readonly string[]) =>
    texts.map((text, i) => `{"create":{"id":"${ns}:${i}","kind":"k","meta":{"m":${text}},"data":${text}}}`).join()
  /** All entries of a namespace by name, as they are shown. */
  const stored = async (from: TestGateway, ns: string, snapshot = false): Promise<Map<string, string>> => {
    const list = `entries(where: {ns: {eq: "${ns}"}}, first: 1000) { nodes { name meta data } }`
    const data = await from.data(snapshot ? `{ snapshot { ${list} } }` : `{ ${list} }`)
    const { nodes } = (snapshot ? data.snapshot : data).entries as {
      nodes: { name: string; meta: unknown; data: unknown }[]
    }
    return new Map(nodes.map(({ name, meta, data }) => [name, `${shown(meta)} ${shown(data)}`]))
  }
  const expected = (texts: readonly string[]) =>
    new Map(
      texts.map((text, i) => [`${i}`, `{"m":${shown(JSON.parse(text))}} ${shown(JSON.parse(text))}`]).sort() as [
        string,
        string,
      ][],
    )

  it('from the API through the store to the API', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(json(exact), { minLength: 1, maxLength: 20 }), async (texts) => {
        const ns = `api${++runs}`
        const all = [...texts, deep(998)]
        expect(await write(gateway, creates(ns, all))).toEqual({ __typename: 'Applied' })
        expect(await stored(gateway, ns)).toEqual(expected(all))
        expect(await stored(gateway, ns, true)).toEqual(expected(all))
      }),
      { numRuns: 40 },
    )
  })

  it('or is refused with the operation and the path', async () => {
    const number = fc.oneof({ weight: 5, arbitrary: exact }, { weight: 1, arbitrary: fc.constantFrom(...INEXACT) })
    const withOne = fc.tuple(json(number), fc.constantFrom(...INEXACT)).map(([text, bad]) => `[${text},{"a":${bad}}]`)
    await fc.assert(
      fc.asyncProperty(fc.array(withOne, { minLength: 1, maxLength: 5 }), async (texts) => {
        const { problems } = await write(gateway, creates('refused', texts))
        for (const [i, text] of texts.entries()) {
          const messages = problems.filter(({ operation }: any) => operation === i).map(({ message }: any) => message)
          const bad = INEXACT.find((number) => text.endsWith(`{"a":${number}}]`))!
          if (messages.length < 10)
            expect(messages.join('\n')).toContain(`data.1.a holds a number that cannot be kept: ${bad}`)
        }
        expect(new Set(problems.map(({ code }: any) => code))).toEqual(new Set(['INVALID_ENTRY']))
      }),
      { numRuns: 60 },
    )
    expect(await stored(gateway, 'refused')).toEqual(new Map())
  })

  it.each(['entry', 'wippy'])('from an export in the %s form through apply to the API', async (form) => {
    const url = (of: TestGateway) => ({ url: new URL('/', of.endpoint).href })
    const from = await startTestGateway('memory')
    await fc.assert(
      fc.asyncProperty(fc.array(json(exact), { minLength: 1, maxLength: 20 }), async (texts) => {
        const ns = `export${++runs}`
        const all = form === 'entry' ? [...texts, deep(998)] : texts
        expect(await write(from, creates(ns, all))).toEqual({ __typename: 'Applied' })
        const target = join(folder, ns)
        expect(await cli(url(from), 'export', target, '--form', form)).toMatchObject({ code: 0 })
        expect(await cli(url(other), 'apply', target)).toMatchObject({ code: 0, err: '' })
        expect(await stored(other, ns)).toEqual(expected(all))
      }),
      { numRuns: 10 },
    )
    await from.close()
  })

  it('from a file through a source to the API', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(json(exact), { minLength: 1, maxLength: 20 }), async (texts) => {
        const all = [...texts, deep(998)]
        const items = all.map((text, i) => `{"id":"files:${i}","kind":"k","meta":{"m":${text}},"data":${text}}`)
        writeFileSync(join(folder, 'entries', 'all.json'), `[${items.join()}]`)
        const { reloadSource } = await other.data('mutation { reloadSource(name: "files") { failures { message } } }')
        expect(reloadSource.failures).toEqual([])
        expect(await stored(other, 'files')).toEqual(expected(all))
        // Content that is equal by value is not written again, so -0 would stay 0.
        writeFileSync(join(folder, 'entries', 'all.json'), '[]')
        await other.data('mutation { reloadSource(name: "files") { deleted } }')
      }),
      { numRuns: 25 },
    )
  })

  it('from a foreign file through a mapping to the API', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(json(exact), { minLength: 1, maxLength: 10 }), async (texts) => {
        const items = texts.map((text, i) => `{"name":"${i}","v":${text}}`)
        writeFileSync(join(folder, 'foreign', 'all.json'), `[${items.join()}]`)
        const { reloadSource } = await other.data('mutation { reloadSource(name: "mapped") { failures { message } } }')
        expect(reloadSource.failures).toEqual([])
        expect(await stored(other, 'mapped')).toEqual(expected(items))
        writeFileSync(join(folder, 'foreign', 'all.json'), '[]')
        await other.data('mutation { reloadSource(name: "mapped") { deleted } }')
      }),
      { numRuns: 25 },
    )
  })

  it.each(INEXACT)('or a file names it with its line: %s', async (number) => {
    for (const [place, text] of [
      ['entries', `[{"id":"files:x","kind":"k",\n"data":{"n":${number}}}]`],
      ['foreign', `{"name":"x",\n"n":[${number}]}`],
    ]) {
      writeFileSync(join(folder, place!, 'bad.json'), text!)
      const { reloadSource } = await other.data(
        `mutation { reloadSource(name: "${place === 'entries' ? 'files' : 'mapped'}") { failures { location line message } } }`,
      )
      expect(reloadSource.failures).toMatchObject([
        { location: 'bad.json', line: 2, message: expect.stringContaining(number) },
      ])
      rmSync(join(folder, place!, 'bad.json'))
    }
  })
})
