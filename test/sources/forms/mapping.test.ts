import { describe, expect, it } from 'vitest'
import type { MappingExpressions } from '../../../src/sources/forms/mapping.js'
import { compileMapping, InvalidMapping } from '../../../src/sources/forms/mapping.js'
import { parseYaml } from '../../../src/sources/forms/parse-yaml.js'

const map = (expressions: MappingExpressions, text: string, location = 'a.yaml') =>
  compileMapping(expressions)(parseYaml(text).documents[0]!, location)

describe('a mapping', () => {
  it('creates a definition from a foreign document', async () => {
    const reading = await map(
      { id: '"cve:" & id', kind: '"scan." & info.severity', meta: '{"tags": $split(info.tags, ",")}', data: '$' },
      'id: x\ninfo: {severity: high, tags: a}',
    )
    expect(reading).toEqual({
      definitions: [
        {
          id: 'cve:x',
          kind: 'scan.high',
          meta: { tags: ['a'] },
          data: { id: 'x', info: { severity: 'high', tags: 'a' } },
          position: { line: 1, column: 1 },
        },
      ],
      faults: [],
    })
  })

  it('skips items without an id', async () => {
    expect(await map({ id: 'id', kind: '"a"' }, 'name: x')).toBeUndefined()
    expect(await map({ id: 'id', kind: '"a"' }, '[]')).toBeUndefined()
  })

  it('creates one definition per item of a list, each with its own line', async () => {
    const reading = await map({ id: 'name ? "a:" & name', kind: '"k"' }, '- name: x\n- other: 1\n- name: y')
    expect(reading?.definitions.map(({ id, position }) => [id, position.line])).toEqual([
      ['a:x', 1],
      ['a:y', 3],
    ])
  })

  it('selects the items itself', async () => {
    const reading = await map(
      { each: 'kind = "List" ? items : $', id: '$document.group & ":" & name & $location', kind: '"k"' },
      'kind: List\ngroup: g\nitems:\n  - name: x\n  - name: y',
    )
    expect(reading?.definitions.map(({ id, position }) => [id, position.line])).toEqual([
      ['g:xa.yaml', 4],
      ['g:ya.yaml', 5],
    ])
  })

  it('preserves keys such as __proto__', async () => {
    const reading = await map({ id: '"a:b"', kind: '"k"', data: '$' }, '__proto__: {polluted: true}')
    expect(JSON.stringify(reading?.definitions[0]?.data)).toBe('{"__proto__":{"polluted":true}}')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('reports a failing item with its line, and continues with the others', async () => {
    const reading = await map(
      { id: '"a:" & name', kind: '"k" & $string(1 / n)' },
      '- {name: x, n: 1}\n- {name: y, n: z}\n- {name: z, n: 1}',
    )
    expect(reading?.definitions.map(({ id }) => id)).toEqual(['a:x', 'a:z'])
    expect(reading?.faults).toEqual([
      { line: 2, column: 3, message: expect.stringContaining('expression for kind failed') },
    ])
  })

  it.each([
    ['recurses forever', '($f := function($x) {$f($x) + 1}; $f(1))', /stack|depth/i],
    ['loops forever', '($f := function() {$f()}; $f())', /timeout/i],
    ['fills the memory', '[1..9000000]', /sequence|exceed/i],
  ])('that %s is stopped', async (_title, id, message) => {
    const reading = await compileMapping({ id, kind: '"k"' }, { milliseconds: 200, depth: 300, values: 100_000 })(
      parseYaml('a: 1').documents[0]!,
      '',
    )
    expect(reading?.faults).toEqual([{ line: 1, column: 1, message: expect.stringMatching(message) }])
  })

  // JSONata copies what it transforms by JSON.stringify, which writes -0 as 0.
  it('preserves -0', async () => {
    const text = 'n: -0\nl: [-0.0, 1]'
    for (const [data, expected] of [
      ['$', { n: -0, l: [-0, 1] }],
      ['$ ~> |$|{"z": -0}|', { n: -0, l: [-0, 1], z: -0 }],
      ['[n, l]', [-0, -0, 1]],
      ['{"a": n}', { a: -0 }],
    ] as const)
      expect((await map({ id: '"a:b"', kind: '"k"', data }, text))?.definitions[0]?.data).toEqual(expected)
  })

  it('is refused if it holds a number that JSONata rounds', () => {
    for (const data of ['9007199254740993', '{"a": [1, -9007199254740993.0]}', '$x := 1e-400'])
      expect(() => compileMapping({ id: 'a', kind: 'x', data })).toThrow('for data holds a number that cannot be kept')
    compileMapping({
      id: 'a',
      kind: 'x',
      data: '["9007199254740993", `9007199254740993`, 1.5, 9007199254740992, l[-1]]',
    })
  })

  it('is refused with expression and character if it does not parse', () => {
    expect(() => compileMapping({ id: 'a.b.(', kind: 'x' })).toThrow(InvalidMapping)
    expect(() => compileMapping({ id: 'a', kind: 'x', data: '{"a": }' })).toThrow(
      /for data is not valid JSONata at character \d+/,
    )
  })
})
