import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import {
  changesetRequestDigest,
  revertRequestDigest,
  versionRequestDigest,
} from '../../../src/registry/writing/request-digest.js'
import type { ApplyChangesetInput, ApplyVersionInput, RawOperation } from '../../../src/registry/writing/write-input.js'

const CREATE: RawOperation = { kind: 'CREATE', id: 'a:x', entryKind: 'k', meta: { n: 1 }, data: [1] }
const DELETE: RawOperation = { kind: 'DELETE', id: 'a:x' }
const digest = (...operations: RawOperation[]) => runAtOnce(changesetRequestDigest({ operations }))
const digestOf = (more: Partial<ApplyChangesetInput>) =>
  runAtOnce(changesetRequestDigest({ operations: [CREATE], ...more }))

describe('the digest of a changeset', () => {
  it('names its version, and is a SHA-256', () => {
    expect(digest(CREATE)).toMatch(/^2:[0-9a-f]{64}$/)
  })

  it('changes with every field of the input except the key', () => {
    const inputs: Partial<ApplyChangesetInput>[] = [
      {},
      { base: 0 },
      { base: 1 },
      { expectedHead: 0 },
      { expectedHead: 1 },
      { message: '' },
      { message: 'm' },
      { dryRun: true },
    ]
    expect(new Set(inputs.map(digestOf)).size).toBe(inputs.length)
    expect(digestOf({ idempotencyKey: 'k' })).toBe(digestOf({ idempotencyKey: 'other' }))
  })

  it('changes with every field of an operation, and with the order of operations', () => {
    const operations: RawOperation[] = [
      CREATE,
      DELETE,
      { ...CREATE, kind: 'UPDATE' },
      { ...CREATE, id: 'a:y' },
      { ...CREATE, entryKind: 'l' },
      { ...CREATE, meta: { n: 2 } },
      { ...CREATE, meta: {} },
      { ...CREATE, data: [2] },
      { ...CREATE, data: null },
      { ...CREATE, ifRevision: 0 },
      { ...DELETE, force: true },
    ]
    expect(new Set(operations.map((operation) => digest(operation))).size).toBe(operations.length)
    expect(digest(CREATE, DELETE)).not.toBe(digest(DELETE, CREATE))
    expect(digest(CREATE, CREATE)).not.toBe(digest(CREATE))
  })

  it.each<[string, RawOperation, RawOperation]>([
    ['an id as text and as its parts', CREATE, { ...CREATE, id: { ns: 'a', name: 'x' } }],
    ['an id in two normal forms', { ...CREATE, id: 'a:caf\u00e9' }, { ...CREATE, id: 'a:cafe\u0301' }],
    ['an invalid id as text and as its parts', { ...CREATE, id: 'a b:x' }, { ...CREATE, id: { ns: 'a b', name: 'x' } }],
    ['no meta and an empty one', { kind: 'CREATE', id: 'a:x', entryKind: 'k' }, { ...CREATE, meta: {}, data: null }],
    ['keys in any order', { ...CREATE, meta: { a: 1, b: 2 } }, { ...CREATE, meta: { b: 2, a: 1 } }],
    ['no force and false', DELETE, { ...DELETE, force: false }],
    ['no revision and null', CREATE, { ...CREATE, ifRevision: null }],
    ['a delete without kind and content', DELETE, { ...DELETE, meta: null, data: null }],
  ])('is the same for %s', (_, one, other) => {
    expect(digest(one)).toBe(digest(other))
  })

  it('is the same for defaults that are left out, null or false', () => {
    expect(digestOf({ base: null, expectedHead: null, message: null, dryRun: false })).toBe(digestOf({}))
  })

  it('pauses while it reads a long changeset, and gives the same digest', () => {
    const operations = Array.from({ length: 40 }, (_, n) => ({ ...CREATE, id: `a:${n}`, data: 'x'.repeat(10_000) }))
    let pauses = 0
    const steps = changesetRequestDigest({ operations })
    let step = steps.next()
    for (; step.done !== true; step = steps.next()) pauses += 1
    expect(pauses).toBeGreaterThan(2)
    expect(pauses).toBeLessThan(operations.length)
    expect(step.value).toBe(digest(...operations))
  })
})

describe.each([
  ['applyVersion', versionRequestDigest],
  ['revertVersion', revertRequestDigest],
] as const)('the digest of %s', (_, requestDigest) => {
  it('changes with every field of the input except the key', () => {
    const inputs: ApplyVersionInput[] = [
      { version: 1 },
      { version: 2 },
      { version: 1, expectedHead: 0 },
      { version: 1, message: '' },
      { version: 1, dryRun: true },
      { version: 1, force: true },
    ]
    const digests = inputs.map((input) => runAtOnce(requestDigest(input)))
    expect(new Set(digests).size).toBe(inputs.length)
    const defaults = { version: 1, expectedHead: null, message: null, dryRun: false, force: false, idempotencyKey: 'k' }
    expect(runAtOnce(requestDigest(defaults))).toBe(digests[0])
  })
})

it('differs between mutations with the same input', () => {
  expect(runAtOnce(versionRequestDigest({ version: 1 }))).not.toBe(runAtOnce(revertRequestDigest({ version: 1 })))
})
