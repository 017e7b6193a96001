import fc from 'fast-check'
import { expect, it } from 'vitest'
import { EXPORT_FORMS, type ExportForm } from '../../../src/cli/folder/export-forms.js'
import type { StoredEntry } from '../../../src/cli/gateway/gateway-queries.js'
import { PARSERS, parseEntries } from '../../../src/sources/forms/parse-entries.js'

const TEXTS = [
  '',
  ' ',
  ' \n',
  '\n',
  '\n\n',
  'a\n',
  'a\n\n',
  ' a\nb',
  'a \nb',
  'a\n b\n',
  '\ta',
  'a\t\nb',
  'a\r\nb',
  '\r',
  '\u0085',
]
const WORDS = [
  '\u2028',
  '\ufeff',
  '~',
  'null',
  'yes',
  '2020-01-01',
  '1e3',
  '0x1f',
  '.inf',
  '---',
  '...',
  '#',
  'a #b',
  'a: b',
  '- a',
  '<<',
  '%a',
  '&a',
  '*a',
  '!a',
  '`',
  '@',
  '? a',
]
const KEYS = [
  'name',
  'kind',
  'meta',
  'data',
  'entries',
  'namespace',
  '__proto__',
  '\u200bname',
  'x'.repeat(1_100),
  ' ',
  '',
]

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TEXTS, ...WORDS) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.constantFrom(' ', '\n', '\t', 'a', '#', ':', '-', '"', "'", '\\', '|'), { maxLength: 60 })
      .map((parts) => parts.join('')),
  },
  // The registry refuses U+0000.
  fc.string({ unit: 'binary', maxLength: 20 }).map((random) => random.replaceAll('\0', '')),
)
const key = fc.oneof(fc.constantFrom(...KEYS), text)
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.constantFrom(null, true, false, 0, 1.5, 1e21),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs)),
  ),
}))
const object = fc.array(fc.tuple(key, value), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs) as object)

// A blank text such as " \n" came back as another one, so a plan after an export showed an update.
it.each<[ExportForm, string]>([
  ['wippy', '.yaml'],
  ['entry', '.jsonl'],
])('reads every entry back as it was exported in the %s form', (form, extension) => {
  const { heading, entry } = EXPORT_FORMS[form]
  fc.assert(
    fc.property(object, value, fc.constantFrom('x', '~', 'null', '1', 'a: b', '#', '<<'), (meta, data, name) => {
      const stored = { entryId: `a:${name}`, kind: 'k', meta, data } as unknown as StoredEntry
      const written = heading('a') + entry(stored) + entry({ ...stored, entryId: 'a:last' } as StoredEntry)
      const { entries, failures } = parseEntries(`f${extension}`, written, PARSERS[extension]!)
      expect(failures).toEqual([])
      expect(entries.map(({ id, content }) => [id, content.meta, content.data])).toEqual([
        [`a:${name}`, meta, data],
        ['a:last', meta, data],
      ])
    }),
    { numRuns: 300 },
  )
})
