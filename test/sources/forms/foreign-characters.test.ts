import { describe, expect, it } from 'vitest'
import { FailureList } from '../../../src/sources/forms/failure-list.js'
import { PARSERS, parseEntries } from '../../../src/sources/forms/parse-entries.js'
import { parseYaml } from '../../../src/sources/forms/parse-yaml.js'
import { compileRules, runJob } from '../../../src/sources/parsing/run-job.js'

const read = (text: string, extension = '.yaml') => parseEntries(`a${extension}`, text, PARSERS[extension]!)
const ids = (text: string, extension?: string) => read(text, extension).entries.map(({ id }) => id)
const faults = (text: string) => read(text).failures.map(({ line, message }) => `${line} ${message}`)
const document = (namespace: string) => `namespace: ${namespace}\nentries:\n- {name: x, kind: k}\n`
const noFiles = () => Promise.reject(new Error('no file is needed'))

describe('byte order marks', () => {
  it.each([
    ['behind a marker', '---\n\ufeff'],
    ['behind a comment', '--- # two\n# more\n\ufeff'],
    ['before a marker', '\ufeff---\n'],
    ['behind an end', '...\n\ufeff'],
    ['twice', '---\n\ufeff\ufeff'],
    ['behind CR LF', '---\r\n\ufeff'],
  ])('are skipped before every document: %s', (_name, between) => {
    // Concatenated files have them, and a document behind one was taken for a foreign one.
    expect(ids(`${document('a')}${between}${document('bo')}`)).toEqual(['a:x', 'bo:x'])
  })

  it('are skipped behind a marker in the same line', () => {
    expect(ids(`${document('a')}--- \ufeff{namespace: bo, name: y, kind: k}`)).toEqual(['a:x', 'bo:y'])
  })

  it('are skipped before every JSON line', () => {
    expect(ids('{"id": "a:x", "kind": "k"}\n\ufeff{"id": "a:y", "kind": "k"}', '.jsonl')).toEqual(['a:x', 'a:y'])
  })
})

describe('invisible characters in keys', () => {
  it.each(['\ufeffnamespace', 'name\u200bspace', '\u202enamespace', 'namespace\u00a0', 'name\u00adspace'])(
    'are failures, so that the document %j does not pass for a foreign one',
    (key) => {
      expect(faults(`a: 1\n---\n${JSON.stringify(key)}: bo\nentries: []`)).toEqual([
        expect.stringMatching(/^3 the key ".*\\u.*" contains an invisible character\. Write it as "namespace"$/),
      ])
    },
  )

  it('are failures in the keys of entries too', () => {
    expect(faults('namespace: a\n"\\u200bentries": []')).toHaveLength(1)
    expect(faults('namespace: a\nentries:\n- {name: x, kind: k, "\\u200bdata": 1}')).toHaveLength(1)
    expect(faults('{"\\u200bid": "a:x", kind: k}')).toHaveLength(1)
    expect(faults('- {"\\u200bid": "a:x", kind: k}')).toHaveLength(1)
  })

  it('do not matter in foreign documents', () => {
    expect(faults('"\\u200bother": 1\nkind: k')).toEqual([])
  })
})

describe('YAML of other versions', () => {
  it('has merge keys, whose values do not replace those of the mapping itself', () => {
    const base = 'b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\n'
    const last = (text: string) => (parseYaml(base + text).documents[0]!.value as { d: unknown }).d
    expect(last('d: {<<: *b, y: 5}')).toEqual({ x: 1, y: 5 })
    expect(last('d: {y: 5, <<: [*c, *b]}')).toEqual({ x: 3, y: 5, z: 4 })
    expect(last('d: {"<<": *b}')).toEqual({ '<<': { x: 1, y: 2 } })
    expect(parseYaml('d: {<<: 1}').faults[0]?.message).toContain('merge key')
  })

  it.each(['1.1', '1.0', '1.3'])(
    'is refused if a directive names %s, because its values would mean something else',
    (version) => {
      expect(parseYaml(`%YAML ${version}\n---\na: yes\n`).faults[0]?.message).toContain(
        `YAML ${version} is not supported`,
      )
      expect(parseYaml('%YAML 1.2\n---\na: yes\n').documents[0]?.value).toEqual({ a: 'yes' })
    },
  )

  it('may not have tags in keys that JSON does not know', () => {
    expect(parseYaml('!!binary aGk=: 1').faults).toHaveLength(1)
  })
})

describe('a definition that fails', () => {
  it('has its id normalized, so that its entry is protected from being pruned', () => {
    expect(read('namespace: a\nentries:\n- {name: "cafe\u0301", kind: "no kind"}').failures[0]?.entryId).toBe(
      'a:caf\u00e9',
    )
  })

  it('counts for itself, although it has no name and others are in the same line', async () => {
    const text = 'namespace: a\nentries: [{kind: k}, {kind: k}, {kind: "no kind"}, 7]'
    const rules = compileRules({ form: 'wippy', schemas: [], entryBytes: 1_000 })
    const list = new FailureList()
    for (const failure of (await runJob({ type: 'file', location: 'a.yaml', text }, rules, noFiles)).failures)
      list.add(failure)
    expect(list.definitions).toBe(4)
  })

  it('counts for itself on a page, which has no lines', async () => {
    const rules = compileRules({ form: 'entry', schemas: [], entryBytes: 1_000 })
    const list = new FailureList()
    const text = '[{"id": 1, "kind": "k"}, {"id": 2, "kind": "k"}, 3]'
    for (const failure of (await runJob({ type: 'page', location: 'p', text }, rules, noFiles)).failures)
      list.add(failure)
    expect(list.definitions).toBe(3)
  })
})

describe('values that begin with file://', () => {
  it('are text in a mapping, whatever they were taken from', async () => {
    const text = 'a: "file:// is a scheme"\nb: ["file:///C:/x"]'
    const form = { id: '"a:x"', kind: '"k"', data: '{"own": $, "text": $text("a.txt")}' }
    const rules = compileRules({ form, schemas: [], entryBytes: 1_000 })
    const result = await runJob({ type: 'file', location: 'a.yaml', text }, rules, () =>
      Promise.resolve('file://b.txt'),
    )
    expect(result.failures).toEqual([])
    expect(JSON.parse(result.entries[0]![3])).toEqual({
      own: { a: 'file:// is a scheme', b: ['file:///C:/x'] },
      text: 'file://b.txt',
    })
  })
})
