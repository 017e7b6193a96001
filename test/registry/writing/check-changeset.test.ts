import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import { checkChangeset } from '../../../src/registry/writing/check-changeset.js'
import type { RawOperation } from '../../../src/registry/writing/write-input.js'
import { RULES } from '../../core/arbitraries.js'

const LIMITS = { changesetOperations: 3, changesetBytes: 60 }
const check = (operations: readonly RawOperation[], limits = LIMITS) =>
  runAtOnce(checkChangeset(operations, limits, RULES))
const create = (id: RawOperation['id'], data: unknown = null, more: Partial<RawOperation> = {}): RawOperation => ({
  kind: 'CREATE',
  id,
  entryKind: 'k',
  data,
  ...more,
})

function checked(operations: readonly RawOperation[], limits = LIMITS) {
  const result = check(operations, limits)
  if ('tooLarge' in result) throw new Error(result.tooLarge.message)
  return result
}

describe('the check of a changeset', () => {
  it('returns each operation with its index, its id as stored, and its content', () => {
    const { operations, problems } = checked([
      create({ ns: 'a', name: 'cafe\u0301' }, 1),
      { ...create('a:y', 2), kind: 'UPDATE', ifRevision: 7 },
      { kind: 'DELETE', id: 'a:z', force: true },
    ])
    expect(problems).toEqual([])
    expect(operations.map(({ content, ...rest }) => ({ ...rest, data: content?.dataText ?? null }))).toEqual([
      { index: 0, kind: 'CREATE', id: 'a:caf\u00e9', ifRevision: null, data: '1' },
      { index: 1, kind: 'UPDATE', id: 'a:y', ifRevision: 7, data: '2' },
      { index: 2, kind: 'DELETE', id: 'a:z', ifRevision: null, force: true, data: null },
    ])
  })

  it('counts the bytes of all contents as UTF-8', () => {
    // Two bytes of meta each, and the quotes around the texts.
    expect(checked([create('a:x', 'é'), create('a:y', 'ab')]).bytes).toBe(2 + 4 + 2 + 4)
    expect(checked([{ kind: 'DELETE', id: 'a:z' }]).bytes).toBe(0)
  })

  it('accepts as many operations and bytes as the limits say, and no more', () => {
    const three = [create('a:1'), create('a:2'), create('a:3')]
    expect(checked(three).operations).toHaveLength(3)
    expect(check([...three, create('a:4')])).toEqual({
      tooLarge: { code: 'TOO_LARGE', message: 'The changeset has 4 operations, and it may have 3. Split it.' },
    })
    const exact = create('a:1', 'x'.repeat(56))
    expect(checked([exact]).bytes).toBe(60)
    expect(check([exact, create('a:2', 1)])).toEqual({
      tooLarge: {
        code: 'TOO_LARGE',
        message: 'The contents of the changeset take more than 60 bytes as JSON. Split it.',
      },
    })
  })

  it('reports the faults of the id and of the content of one operation, with the id as it was sent', () => {
    const { operations, problems } = checked([
      create('a b:x', undefined, { entryKind: 'not a kind' }),
      create('a:x', 'lone \ud800'),
      create('a:y'),
    ])
    expect(operations.map(({ index }) => index)).toEqual([2])
    expect(
      problems.map(({ code, operation, entryId, isMalformedId }) => [code, operation, entryId, isMalformedId]),
    ).toEqual([
      ['INVALID_ENTRY', 0, 'a b:x', true],
      ['INVALID_ENTRY', 0, 'a b:x', true],
      ['INVALID_ENTRY', 1, 'a:x', undefined],
    ])
  })

  it('shows ids that no answer can contain, without their surrogates and cut', () => {
    const shown = (id: RawOperation['id']) => checked([create(id)]).problems[0]!.entryId
    expect(shown({ ns: 'a b', name: 'x\ud800' })).toBe('a b:x\ufffd')
    expect(shown(`a b:${'x'.repeat(996)}`)).toBe(`a b:${'x'.repeat(996)}`)
    expect(shown(`a b:${'x'.repeat(997)}`)).toBe(`a b:${'x'.repeat(995)}…`)
  })

  it('reads the id of a delete as it may be stored from before', () => {
    const invisible = 'a:x\u200b'
    expect(checked([{ kind: 'DELETE', id: invisible }]).problems).toEqual([])
    expect(checked([create(invisible)]).problems.map(({ code }) => code)).toEqual(['INVALID_ENTRY'])
  })

  it('pauses while it checks many operations', () => {
    const operations = Array.from({ length: 100 }, (_, n) => create(`a:${n}`))
    const steps = checkChangeset(operations, { changesetOperations: 100, changesetBytes: 10_000 }, RULES)
    let pauses = 0
    while (steps.next().done !== true) pauses += 1
    expect(pauses).toBeGreaterThanOrEqual(6)
    expect(pauses).toBeLessThan(100)
  })
})
