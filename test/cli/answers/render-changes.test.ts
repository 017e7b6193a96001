import fc from 'fast-check'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { renderChange } from '../../../src/cli/answers/render-changes.js'
import { EXPORT_FORMS } from '../../../src/cli/folder/export-forms.js'
import { printable } from '../../../src/cli/terminal/printable.js'
import { renderTable } from '../../../src/cli/terminal/render-table.js'
import { valueDifferences } from '../../../src/cli/terminal/value-differences.js'
import { jsonEquals } from '../../../src/core/entry/canonical-json.js'
import type { EntryId } from '../../../src/core/entry/entry-id.js'
import type { Json } from '../../../src/core/entry/json.js'
import { PARSERS, parseEntries } from '../../../src/sources/forms/parse-entries.js'

const plain = pc.createColors(false)
const content = (meta: Json, data: Json, kind = 'service.http') => ({ kind, meta, data })

describe('a change on the terminal', () => {
  it('shows every difference of an update', () => {
    const change = {
      entryId: 'app:web',
      before: content({ title: 'Web', old: 1, tags: ['a', 'b'] }, { pool: { max: 5 }, same: [1, 2] }),
      after: content(
        { title: 'Web', tags: ['a', 'c'], 'a.b': true },
        { pool: { max: 10 }, same: [1, 2], hosts: ['x'] },
      ),
      origin: 'web/_index.yaml:4',
    }
    expect(renderChange(change, plain)).toMatchInlineSnapshot(`
      "~ update app:web  service.http  (web/_index.yaml:4)
          - meta.old: 1
          ~ meta.tags[1]: "b" → "c"
          + meta["a.b"]: true
          ~ data.pool.max: 5 → 10
          + data.hosts: ["x"]"
    `)
  })

  it('shows the content of a create, and only the heading of a delete', () => {
    expect(
      renderChange({ entryId: 'app:web', before: null, after: content({}, { a: { b: 1, c: [] } }) }, plain),
    ).toMatchInlineSnapshot(`
      "+ create app:web  service.http
          + data.a.b: 1
          + data.a.c: []"
    `)
    expect(renderChange({ entryId: 'app:web', before: content({ a: 1 }, null), after: null }, plain)).toBe(
      '- delete app:web  service.http',
    )
  })

  it('is a replacement if the kind differs', () => {
    const change = { entryId: 'app:web', before: content({}, 1), after: content({}, 1, 'service.grpc') }
    expect(renderChange(change, plain)).toBe('± replace app:web  service.http → service.grpc')
  })

  it('shows the lines of a text that differ, and truncates long values', () => {
    const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`)
    const change = {
      entryId: 'app:web',
      before: content({}, { source: lines.join('\n'), long: 'x' }),
      after: content({}, { source: lines.with(20, 'changed').join('\n'), long: 'y'.repeat(500) }),
    }
    expect(renderChange(change, plain)).toBe(
      [
        '~ update app:web  service.http',
        '    ~ data.source:',
        '        @ line 21',
        '        - line 20',
        '        + changed',
        `    ~ data.long: "x" → "${'y'.repeat(94)}…`,
      ].join('\n'),
    )
  })

  it('has colours if they are enabled', () => {
    expect(renderChange({ entryId: 'a:b', before: content({}, 1), after: null }, pc.createColors(true))).toContain(
      '\u001b[31m',
    )
  })

  it('escapes control characters of an entry', () => {
    const evil = '\u001b]0;gone\u0007\u009b2J\u202e'
    const change = {
      entryId: 'a:b',
      before: content({ [evil]: 1 }, evil),
      after: content({ [evil]: 2 }, `${evil}\n${evil}`),
    }
    expect(renderChange(change, plain)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(printable('a\u0000b')).toBe('a\\u0000b')
  })
})

describe('the differences of two values', () => {
  it('are empty exactly if the values are equal', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(valueDifferences('data', a as Json, a as Json)).toEqual([])
        expect(valueDifferences('data', a as Json, b as Json).length === 0).toBe(jsonEquals(a as Json, b as Json))
      }),
    )
  })

  it('compare only own keys', () => {
    const own = JSON.parse('{"__proto__": 1}') as Json
    expect(valueDifferences('data', {}, own)).toEqual([{ path: 'data.__proto__', before: undefined, after: 1 }])
    expect(valueDifferences('data', { constructor: 1 }, {})).toEqual([
      { path: 'data.constructor', before: 1, after: undefined },
    ])
  })
})

describe('a table', () => {
  it('has columns as wide as their widest cell', () => {
    expect(
      renderTable(
        ['ID', 'KIND'],
        [
          ['app:web', 'a'],
          ['группа:1', 'b.c'],
        ],
        plain,
      ),
    ).toBe('ID        KIND\napp:web   a\nгруппа:1  b.c\n')
  })
})

describe('an exported entry', () => {
  const isStorable = (text: string): boolean => !/[\u0000\p{Surrogate}]/u.test(text)
  const json = fc
    .jsonValue({ maxDepth: 4, stringUnit: 'grapheme' })
    .filter((value) => isStorable(JSON.stringify(value)) && !JSON.stringify(value).includes('\\u0000'))
  const meta = fc.dictionary(fc.string({ unit: 'grapheme' }).filter(isStorable), json, { maxKeys: 4 })

  it.each([
    ['wippy', '.yaml'],
    ['entry', '.jsonl'],
  ] as const)('in the %s form is read back to the same value', (form, extension) => {
    fc.assert(
      fc.property(meta, json, (someMeta, data) => {
        const stored = {
          entryId: 'app.x:the name' as EntryId,
          kind: 'some.kind',
          meta: JSON.parse(JSON.stringify(someMeta)) as never,
          data: JSON.parse(JSON.stringify(data)) as Json,
          digest: '',
          revision: 1,
          version: { number: 1 },
        }
        const { heading, entry } = EXPORT_FORMS[form]
        const text = heading('app.x') + entry({ ...stored, entryId: 'app.x:before' as EntryId }) + entry(stored)
        const { entries, failures } = parseEntries('x', text, PARSERS[extension]!)
        expect(failures).toEqual([])
        expect(entries.map(({ id }) => id)).toEqual(['app.x:before', 'app.x:the name'])
        expect(JSON.stringify(entries[1]!.content.meta)).toBe(JSON.stringify(stored.meta))
        expect(JSON.stringify(entries[1]!.content.data)).toBe(JSON.stringify(stored.data))
      }),
      {
        numRuns: 300,
        examples: [
          [{}, null],
          [{ __proto__x: 1 }, { name: 'mine', data: 2 }],
          [{ a: '' }, { '<<': { a: 1 }, '': null, '1': '0x10', yes: 'no' }],
          [{}, 'a\n\n  b\n'],
          [{}, ['\u001b[31m', '\u0085', '\u2028', 'a\r\nb', '# x', '- ', '2026-01-01', '\t']],
          [{}, [1e21, 5e-324, 2 ** 60, -1.5]],
          [JSON.parse('{"__proto__": {"a": 1}}'), JSON.parse('{"__proto__": [], "constructor": {}}')],
        ],
      },
    )
  })
})
