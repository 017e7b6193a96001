import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson, parseJsonLines } from '../../../src/sources/forms/parse-json.js'
import { parseYaml } from '../../../src/sources/forms/parse-yaml.js'

const values = (text: string) => parseYaml(text).documents.map(({ value }) => value)
const faults = (text: string, parse = parseYaml) =>
  parse(text).faults.map(({ line, column, message }) => `${line}:${column} ${message}`)

describe('YAML', () => {
  it('is read by the core schema of YAML 1.2: no dates, no yes and no', () => {
    expect(values('a: 2020-01-01\nb: yes\nc: 0o17\nd: 0x10\ne: ~\nf: 1_000\ng: 12:30\nh: "1"\n"<<": {i: 1}')).toEqual([
      { a: '2020-01-01', b: 'yes', c: 15, d: 16, e: null, f: '1_000', g: '12:30', h: '1', '<<': { i: 1 } },
    ])
  })

  it('may contain several documents, and empty ones', () => {
    expect(values('a: 1\n---\n---\n[b]\n')).toEqual([{ a: 1 }, null, ['b']])
    expect(values('# nothing\n')).toEqual([])
  })

  it('may use anchors, which must be complete before their aliases', () => {
    expect(values('a: &x {n: [1]}\nb: [*x, *x]')).toEqual([{ a: { n: [1] }, b: [{ n: [1] }, { n: [1] }] }])
    expect(faults('a: &x [*x]')).toEqual(['1:8 the alias *x has no complete anchor before it'])
    expect(faults('a: *y')).toHaveLength(1)
  })

  it('is refused if its aliases expand to billions of values', () => {
    const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
    for (let i = 1; i < 12; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      )
    expect(faults(bomb.join('\n'))).toEqual([expect.stringContaining('aliases expand to more than 100000 values')])
  })

  it('uses numbers and booleans as keys as written', () => {
    expect(JSON.stringify(values('404: a\ntrue: b\n0x1F: c')[0])).toBe('{"404":"a","true":"b","0x1F":"c"}')
  })

  it.each([
    ['a: 1\nb: 2\na: 3', '3:1 duplicate key "a"'],
    ['a: {"x": 1, x: 2}', '1:13 duplicate key "x"'],
    ['a: .inf', '1:4 .inf is not a JSON number'],
    ['a: [1, .nan]', '1:8 .nan is not a JSON number'],
    ['a: 1e400', '1:4 1e400 is outside the range of a JSON number. Write it as text'],
    ['a: 12345678901234567890', '1:4 12345678901234567890 would be rounded to 12345678901234567000. Write it as text'],
    [
      'a: 12345678901234567890.0',
      '1:4 12345678901234567890.0 would be rounded to 12345678901234567000. Write it as text',
    ],
    ['a: [-1e-400]', '1:5 -1e-400 is too small for a JSON number. Write 0, or write it as text'],
    ['a: !!binary aGk=', '1:13 the tag tag:yaml.org,2002:binary is not supported'],
    ['a: !!set {b}', '1:10 the tag tag:yaml.org,2002:set is not supported'],
    ['a: !secret x', '1:12 the tag !secret is not supported'],
    ['? [a]\n: b', '1:3 a key must be text'],
    ['a:\n\tb: 1', '2:1 Tabs are not allowed as indentation'],
    ['a: b: c', '1:4 Nested mappings are not allowed in compact mappings'],
  ])('is refused with its position if it is invalid or has no JSON value: %j', (text, fault) => {
    expect(faults(text)[0]).toBe(fault)
    expect(values(text)).toEqual([])
  })

  it.each([
    ['brackets', '['.repeat(20_000)],
    ['balanced brackets', '['.repeat(3_000) + ']'.repeat(3_000)],
    ['indented maps', Array.from({ length: 3_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ])('is refused if it is nested too deeply: %s', (_title, text) => {
    expect(faults(text)).toEqual([expect.stringMatching(/nested (too deep|deeper)/)])
  })

  // Quadratic work would take minutes here, and fail by the test's time limit.
  it('is parsed with twenty thousand keys in one map', () => {
    expect(
      Object.keys(values(Array.from({ length: 20_000 }, (_, i) => `k${i}: ${i}`).join('\n'))[0] as object),
    ).toHaveLength(20_000)
  })
})

describe('JSON', () => {
  it('is parsed like JSON.parse', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 2), (text, indent) => {
        const written = JSON.stringify(JSON.parse(text), null, indent)
        const { documents, faults: found } = parseJson(written)
        expect(found).toEqual([])
        expect(JSON.stringify(documents[0]!.value)).toBe(JSON.stringify(JSON.parse(written)))
      }),
    )
  })

  it('is refused if JSON.parse refuses it or silently alters it', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom('', ',', ':', '"', '}', ']', '\\', 'x', '\n', '0', '-', '.'),
        (text, place, change) => {
          const at = place % text.length
          const damaged = text.slice(0, at) + change + text.slice(at + 1)
          let expected: unknown
          try {
            expected = JSON.parse(damaged)
          } catch {
            expect(faults(damaged, parseJson)).toHaveLength(1)
            return
          }
          const { documents, faults: found } = parseJson(damaged)
          if (found.length === 0) expect(JSON.stringify(documents[0]!.value)).toBe(JSON.stringify(expected))
          else
            expect(found[0]!.message).toMatch(
              /duplicate key|a second time|would be (altered|rounded)|outside the range|beyond/,
            )
        },
      ),
    )
  })

  it.each([
    ['{"a": 1, "a": 2}', '1:10 duplicate key "a"'],
    ['{"a": 1,\n "b": }', '2:7 expected a value'],
    ['[1, 2', '1:6 expected a comma or ]'],
    ['{"a" 1}', '1:6 expected a colon'],
    ['{"a": 1e999}', '1:7 1e999 is outside the range of a JSON number. Write it as text'],
    ['12345678901234567890', '1:1 12345678901234567890 would be rounded to 12345678901234567000. Write it as text'],
    [
      '[12345678901234567890.0]',
      '1:2 12345678901234567890.0 would be rounded to 12345678901234567000. Write it as text',
    ],
    ['{"a": 1e-400}', '1:7 1e-400 is too small for a JSON number. Write 0, or write it as text'],
    ['[1] 2', '1:5 unexpected text after the end of the document'],
    ['', '1:1 expected a value'],
    ['['.repeat(100_000), expect.stringContaining('nested deeper than')],
  ])('is refused with its position if it is damaged: %j', (text, fault) => {
    expect(faults(text, parseJson)).toEqual([fault])
  })

  it('accepts every double that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parseJson(JSON.stringify(value)).documents[0]?.value).toBe(JSON.parse(JSON.stringify(value)))
      }),
      { examples: [[2 ** 60], [1e21], [123456789012345680000], [-(2 ** 63)], [5e-324]] },
    )
  })
})

describe('JSON lines', () => {
  it('are parsed one by one, and a bad line does not stop the others', () => {
    const { documents, faults: found } = parseJsonLines('{"a":1}\r\n\n{"a":\n[2]\n')
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, [2]])
    expect(found).toEqual([{ line: 3, column: 6, message: 'expected a value' }])
  })
})
