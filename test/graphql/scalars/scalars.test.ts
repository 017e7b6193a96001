import fc from 'fast-check'
import { type GraphQLError, type GraphQLScalarType, parseValue } from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema } from '../../../src/graphql/schema.js'

const scalar = (name: string) => schema.getType(name) as GraphQLScalarType
const literal = (name: string, text: string, variables?: Record<string, unknown>) =>
  scalar(name).parseLiteral(parseValue(text), variables)

function codeOf(read: () => unknown): unknown {
  try {
    read()
  } catch (error) {
    return (error as GraphQLError).extensions['code']
  }
  return 'no error'
}

/** Prints a JSON value as a GraphQL literal. Its keys must be GraphQL names. */
function spelled(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spelled).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, item]) => `${key}: ${spelled(item)}`)
    .join(', ')}}`
}

describe('a JSON literal', () => {
  const name = fc.oneof(
    fc.stringMatching(/^[_A-Za-z][_0-9A-Za-z]{0,5}$/),
    fc.constantFrom('__proto__', 'constructor', 'toString'),
  )
  const tree = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constant(null),
      fc.boolean(),
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.maxSafeInteger(),
      fc.array(tie('value')),
      fc.array(fc.tuple(name, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
    ),
  })).value

  it('has the value that JSON.parse would give, in the order of its keys', () => {
    fc.assert(
      fc.property(tree, (value) => {
        // JSON text has no -0.
        const plain: unknown = JSON.parse(JSON.stringify(value))
        const read = literal('JSON', spelled(plain))
        expect(JSON.stringify(read)).toBe(JSON.stringify(plain))
        expect(read).toEqual(plain)
      }),
      { numRuns: 300 },
    )
  })

  it('treats __proto__ as an ordinary key', () => {
    const read = literal('JSON', '{__proto__: {polluted: true}, constructor: 1}')
    expect(Object.keys(read as object)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  })

  it.each(['5e-324', '123456789012345680000', '0.1', '1.7976931348623157e308', '-0'])(
    'reads %s as the double that JSON.parse gives',
    (text) => {
      expect(literal('JSON', text)).toBe(JSON.parse(text))
    },
  )

  it.each(['9007199254740993', '12345678901234567890.0', '1e400', '-1e-400'])('does not round %s', (text) => {
    expect(literal('JSON', `{a: [${text}]}`)).toEqual({ a: [expect.any(Symbol)] })
    expect(codeOf(() => literal('JSONObject', text))).toBe('BAD_USER_INPUT')
  })

  it('may contain variables, and omits a key whose variable is absent', () => {
    expect(literal('JSON', '{a: $x, b: [$x, $y], c: $y}', { x: { deep: [1] } })).toEqual({
      a: { deep: [1] },
      b: [{ deep: [1] }, null],
    })
  })

  it('omits an absent variable named like a property of every object', () => {
    expect(literal('JSON', '{a: $constructor, b: [$toString]}', {})).toEqual({ b: [null] })
  })

  it('refuses an enum value, which JSON cannot express', () => {
    expect(codeOf(() => literal('JSON', '{a: FOO}'))).toBe('BAD_USER_INPUT')
  })
})

describe('JSONObject', () => {
  it.each(['[1]', '"text"', '1', 'true', '1.5'])('refuses the literal %s', (text) => {
    expect(codeOf(() => literal('JSONObject', text))).toBe('BAD_USER_INPUT')
    expect(codeOf(() => scalar('JSONObject').parseValue(JSON.parse(text)))).toBe('BAD_USER_INPUT')
  })

  it('accepts objects unchanged', () => {
    const value = { a: [1] }
    expect(scalar('JSONObject').parseValue(value)).toBe(value)
    expect(literal('JSONObject', '{}')).toEqual({})
  })
})

describe('EntryID', () => {
  it.each([
    ['"a:b"', 'a:b'],
    ['{ns: "a", name: "b"}', { ns: 'a', name: 'b' }],
    ['"no colon"', 'no colon'],
    ['{name: " ", ns: ""}', { ns: '', name: ' ' }],
  ])('takes %s, broken rules and all', (text, value) => {
    expect(literal('EntryID', text)).toEqual(value)
    expect(scalar('EntryID').parseValue(value)).toEqual(value)
  })

  it.each(['1', 'true', '["a:b"]', '{ns: "a"}', '{ns: "a", name: 1}', '{ns: "a", name: "b", x: 1}', 'null'])(
    'refuses %s',
    (text) => {
      expect(codeOf(() => literal('EntryID', text))).toBe('BAD_USER_INPUT')
    },
  )

  it('may contain variables, which are checked once they are known', () => {
    expect(literal('EntryID', '{ns: $a, name: $b}', { a: 'x', b: 'y' })).toEqual({ ns: 'x', name: 'y' })
    expect(codeOf(() => literal('EntryID', '{ns: $a, name: $b}', { a: 'x', b: 1 }))).toBe('BAD_USER_INPUT')
    expect(codeOf(() => literal('EntryID', '{ns: $a, name: $b}'))).toBe('no error')
  })
})

describe('SafeInt', () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['9007199254740991', 2 ** 53 - 1],
    ['-9007199254740991', 1 - 2 ** 53],
    ['1.0', 1],
    ['1e3', 1000],
  ])('takes %s', (text, value) => {
    expect(Object.is(literal('SafeInt', text), value)).toBe(true)
    expect(Object.is(scalar('SafeInt').parseValue(JSON.parse(text)), value)).toBe(true)
  })

  it.each(['9007199254740992', '1.5', '"1"', 'true', '[1]', '1e400'])('refuses %s', (text) => {
    expect(codeOf(() => literal('SafeInt', text))).toBe('BAD_USER_INPUT')
    expect(codeOf(() => scalar('SafeInt').parseValue(JSON.parse(text)))).toBe('BAD_USER_INPUT')
  })
})

describe('DateTime', () => {
  it.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31t12:00:00.5z', '2026-01-31T12:00:00.500Z'],
    ['2026-01-31T12:00:00.123999+02:30', '2026-01-31T09:30:00.123Z'],
    ['2026-01-01T00:30:00-01:00', '2026-01-01T01:30:00.000Z'],
    ['2024-02-29T23:59:60Z', '2024-03-01T00:00:00.000Z'],
    ['0042-01-01T00:00:00Z', '0042-01-01T00:00:00.000Z'],
  ])('reads %s', (text, utc) => {
    expect((scalar('DateTime').parseValue(text) as Date).toISOString()).toBe(utc)
    expect((literal('DateTime', `"${text}"`) as Date).toISOString()).toBe(utc)
  })

  it('returns what it reads', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date('0001-01-01T00:00:00Z'),
          max: new Date('9999-12-31T23:59:59.999Z'),
          noInvalidDate: true,
        }),
        (date) => {
          const text = scalar('DateTime').serialize(date) as string
          expect((scalar('DateTime').parseValue(text) as Date).getTime()).toBe(date.getTime())
        },
      ),
    )
  })

  it.each([
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:61Z',
    '2026-01-01T00:00:00+24:00',
    '2026-00-10T00:00:00Z',
    'yesterday',
    '',
    '1700000000',
  ])('refuses "%s"', (text) => {
    expect(codeOf(() => scalar('DateTime').parseValue(text))).toBe('BAD_USER_INPUT')
  })

  it('refuses values that are not strings', () => {
    expect(codeOf(() => scalar('DateTime').parseValue(1700000000))).toBe('BAD_USER_INPUT')
    expect(codeOf(() => literal('DateTime', '1700000000'))).toBe('BAD_USER_INPUT')
  })
})
