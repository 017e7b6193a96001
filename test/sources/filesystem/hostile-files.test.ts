import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileMapping } from '../../../src/sources/forms/mapping.js'
import { parseYaml } from '../../../src/sources/forms/parse-yaml.js'
import { entry, follow, zip } from './folder-fixture.js'

const YAML =
  'namespace: a\nmeta: &m {t: [x]}\nentries:\n  - name: b\n    kind: k.l\n    meta: *m\n    text: |\n      two\n      lines\n    ref: file://x.txt\n---\nid: a:c\nkind: "k"\ndata: {n: 1.5e3, u: "\\u00e9"}\n'
const JSON_TEXT =
  '[{"id":"a:b","kind":"k","meta":{"é":"\\u00e9","__proto__":{"x":1}},"data":[1,-0,1e-7,null,{"f":"file://x.txt"}]}]'
const MAPPING = {
  each: '$',
  id: 'id ? id : "a:" & $document.entries[0].name',
  kind: '"k"',
  meta: '$merge([$, {"a": $lookup($, "b")}])',
  data: '$text("x.txt") & $string($)',
}

/** Replaces, removes, repeats or moves some of the bytes. */
const mutated = (bytes: Buffer) =>
  fc
    .array(
      fc.tuple(
        fc.nat(bytes.length - 1),
        fc.constantFrom('set', 'cut', 'insert', 'repeat', 'token'),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        fc.nat(40),
        fc.constantFrom(
          '*m',
          '&m',
          '---\n',
          '\t',
          '? ',
          '!!map',
          '[',
          '{',
          '"',
          '\u0000',
          '\ufeff',
          '|',
          '<<: ',
          'file://',
          '%YAML 9',
          '...\n',
        ),
      ),
      { minLength: 1, maxLength: 6 },
    )
    .map((changes) =>
      changes.reduce((text, [at, change, random, length, token]) => {
        const [head, tail] = [text.subarray(0, at), text.subarray(at)]
        const middle = { set: random, cut: '', insert: random, repeat: tail.subarray(0, length), token }[change]
        return Buffer.concat([
          head,
          Buffer.from(middle),
          change === 'set' ? tail.subarray(random.length) : change === 'cut' ? tail.subarray(length) : tail,
        ])
      }, bytes),
    )

describe('hostile files', () => {
  it.each(['wippy', 'entry', MAPPING] as const)(
    'a scan yields every location and never throws for random bytes and damaged files, form %j',
    async (form) => {
      const archive = await zip({ 'a.yaml': YAML, 'b/c.json': JSON_TEXT, 'b/x.txt': 'text' })
      const { scan, folder } = await follow({ 'x.txt': 'text', 'ok.json': entry('o:k') }, { form })
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 400 }),
          mutated(Buffer.from(YAML)),
          mutated(Buffer.from(JSON_TEXT)),
          mutated(Buffer.from(`${entry('a:1')}\n${entry('a:2')}\n`)),
          mutated(archive),
          async (random, yaml, json, lines, zipped) => {
            const files = {
              'a.yaml': random,
              'b.yaml': yaml,
              'c.json': random,
              'd.json': json,
              'e.jsonl': lines,
              'f.zip': zipped,
              'g.zip': random,
            }
            await Promise.all(Object.entries(files).map(([name, bytes]) => writeFile(join(folder, name), bytes)))
            const result = await scan()
            for (const name of ['a.yaml', 'b.yaml', 'c.json', 'd.json', 'e.jsonl', 'ok.json'])
              expect(result.locations).toContain(name)
            for (const { file, message } of result.failures)
              expect([typeof file, message.length > 0]).toEqual(['string', true])
          },
        ),
        { numRuns: 150 },
      )
    },
    120_000,
  )

  it("never add properties to the program's objects", async () => {
    const { scan } = await follow({
      'a.yaml':
        'id: a:b\nkind: k\nmeta: {__proto__: {polluted: 1}, constructor: {prototype: {polluted: 1}}}\ndata: {__proto__: 2}\n',
    })
    const result = await scan()
    expect(result.all[0]).toMatchObject({
      entries: [
        {
          content: {
            metaText: '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
            dataText: '{"__proto__":2}',
          },
        },
      ],
    })
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it.each([
    ['40 kB of brackets', '['.repeat(40_000), 'json'],
    ['40 kB of brackets in YAML', '['.repeat(40_000), 'yaml'],
    ['40 kB of braces', '{"a":'.repeat(8_000), 'json'],
    ['40 kB of braces in YAML', '{a: '.repeat(10_000), 'yaml'],
    ['40 kB of dashes', '- '.repeat(20_000), 'yaml'],
    ['40 kB of question marks', '? '.repeat(20_000), 'yaml'],
    ['indentation', Array.from({ length: 280 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 'yaml'],
    [
      'aliases of aliases',
      [
        'a: &a [x, x, x, x, x, x, x, x, x]',
        ...'bcdefghij'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefghij'[i]!}`).join(',')}]`),
      ].join('\n'),
      'yaml',
    ],
    ['40 kB of anchors', '&a '.repeat(13_000), 'yaml'],
    ['40 kB of tags', '!a '.repeat(13_000), 'yaml'],
    ['40 kB of directives', '%YAML 1.2\n'.repeat(4_000), 'yaml'],
    ['20,000 documents', '---\n'.repeat(20_000), 'yaml'],
    ['200 kB of one key', `? ${'x'.repeat(200_000)}\n: 1`, 'yaml'],
    ['200 kB of open quotes', '"'.repeat(200_001), 'yaml'],
    ['200 kB of spaces', ' '.repeat(200_000), 'yaml'],
    ['200 kB of tabs', '\t'.repeat(200_000), 'yaml'],
    ['200 kB of line ends', 'a: |\n' + '\n'.repeat(200_000), 'yaml'],
    ['200 kB of comments', '#\n'.repeat(100_000), 'yaml'],
    // More than linear work would take minutes here, and fail by the test's time limit.
  ])('are scanned to the end: %s', async (_title, text, extension) => {
    const { scan } = await follow({ [`a.${extension}`]: text, 'b.json': entry('o:k') })
    expect((await scan()).ids).toEqual(['o:k'])
  })

  it('a mapping of nested documents that refer to themselves terminates', async () => {
    const lambda = await compileMapping({ id: '"a:b"', kind: '"k"', data: '{"f": function($x) {$x}, "all": $$}' })(
      parseYaml('a: 1').documents[0]!,
      '',
    )
    expect(lambda?.faults).toEqual([])
    const { scan, folder } = await follow(
      { 'a.yaml': 'a: 1' },
      { form: { id: '"a:b"', kind: '"k"', data: '{"f": function($x) {$x}, "all": $$}' } },
    )
    const result = await scan()
    expect(result.ids).toEqual([])
    expect(result.faults.length).toBeGreaterThan(0)
    await rm(join(folder, 'a.yaml'))
    expect((await scan()).locations).toEqual([])
  })
})
