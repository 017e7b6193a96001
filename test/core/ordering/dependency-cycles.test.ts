import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import { compileDependencyPatterns } from '../../../src/core/dependency/compile-dependency-patterns.js'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import { dependencyCycles } from '../../../src/core/ordering/dependency-cycles.js'
import type { Operation } from '../../../src/core/ordering/operation.js'
import { seal } from '../../support/commit-requests.js'

const references = compileDependencyPatterns([{ path: 'meta.depends_on' }])
const content = (to: readonly string[], groups: readonly string[] = []) => seal('x', { depends_on: to, groups })
const create = (id: string, to: readonly string[], groups?: readonly string[]): Operation => ({
  kind: 'CREATE',
  id: parseEntryId(id),
  content: content(to, groups),
  original: null,
})
const remove = (id: string, to: readonly string[]): Operation => ({
  kind: 'DELETE',
  id: parseEntryId(id),
  content: null,
  original: content(to),
})
const cycles = (...operations: Operation[]) => runAtOnce(dependencyCycles(operations, references))

describe('the cycles among operations', () => {
  it('are none if no reference leads back', () => {
    expect(cycles(create('a:1', ['2']), create('a:2', ['3', 'b:9']), create('a:3', []))).toEqual([])
  })

  it('include an entry that references itself', () => {
    expect(cycles(create('a:1', ['a:1']), create('a:2', ['1']))).toEqual([['a:1']])
  })

  it('include two entries once, beginning with the smallest id', () => {
    expect(cycles(create('b:2', ['a:1']), create('a:1', ['b:2', 'a:1']))).toEqual([['a:1', 'b:2']])
  })

  it('include a thousand entries', () => {
    const name = (i: number) => `a:${String(i).padStart(4, '0')}`
    const ring = Array.from({ length: 1_000 }, (_, i) => create(name(i), [name((i + 1) % 1_000)]))
    expect(cycles(...ring.reverse())).toEqual([Array.from({ length: 1_000 }, (_, i) => name(i))])
  })

  it('lead through namespaces and groups, in which an entry does not meet itself', () => {
    expect(cycles(create('a:1', ['ns:a']), create('a:2', []))).toEqual([])
    expect(cycles(create('a:1', ['ns:a']), create('a:2', ['1']))).toEqual([['a:1', 'a:2']])
    expect(cycles(create('a:1', ['group:g'], ['g']), create('b:2', ['group:g'], ['g']))).toEqual([['a:1', 'b:2']])
  })

  it('use the original content of deletes, and are reported once if the entries are created again', () => {
    expect(cycles(remove('a:1', ['2']), remove('a:2', ['1']), create('a:3', ['1']))).toEqual([['a:1', 'a:2']])
    expect(cycles(remove('a:1', ['2']), remove('a:2', ['1']), create('a:1', ['2']), create('a:2', ['1']))).toEqual([
      ['a:1', 'a:2'],
    ])
  })

  it('are the entries that reach each other, for any references and any order of operations', () => {
    const some = fc.integer({ min: 0, max: 7 })
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(some, { maxLength: 3 }), { minLength: 1, maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        (to, random) => {
          const operations = to.map((ids, i) => create(`a:${i}`, ids.map(String)))
          const reach = to.map((ids) => new Set(ids.filter((id) => id < to.length)))
          for (let k = 0; k < to.length; k++)
            for (const from of reach) if (from.has(k)) for (const id of reach[k]!) from.add(id)
          const expected = new Set(
            to.flatMap((_, i) => {
              const cycle = to.flatMap((_, j) =>
                (i === j ? reach[i]!.has(i) : reach[i]!.has(j) && reach[j]!.has(i)) ? [`a:${j}`] : [],
              )
              return cycle.length > 0 && reach[i]!.has(i) ? [JSON.stringify(cycle)] : []
            }),
          )
          const shuffled = operations
            .map((operation) => ({ operation, key: random.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ operation }) => operation)
          expect(
            new Set(runAtOnce(dependencyCycles(shuffled, references)).map((cycle) => JSON.stringify(cycle))),
          ).toEqual(expected)
        },
      ),
      { numRuns: 500 },
    )
  })
})
