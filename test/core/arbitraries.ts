import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { runAtOnce } from '../../src/core/algorithms/steps.js'
import { compileDependencyPatterns } from '../../src/core/dependency/compile-dependency-patterns.js'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../src/core/dependency/default-dependency-patterns.js'
import type { ExtractReferences } from '../../src/core/dependency/reference.js'
import type { SealedContent } from '../../src/core/entry/entry.js'
import { type EntryId, parseEntryId } from '../../src/core/entry/entry-id.js'
import type { Json, JsonObject } from '../../src/core/entry/json.js'
import { type SealRules, sealContent } from '../../src/core/entry/seal-content.js'
import type { Operation } from '../../src/core/ordering/operation.js'
import { orderOperations } from '../../src/core/ordering/order-operations.js'

export const RULES: SealRules = {
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  maxDepth: 200,
  maxEntryBytes: 1 << 20,
}

export function seal(kind: string, meta: unknown = {}, data: unknown = null): SealedContent {
  const sealed = runAtOnce(sealContent({ kind, meta, data }, RULES))
  if ('faults' in sealed) throw new Error(sealed.faults.map((fault) => fault.message).join('; '))
  return sealed.content
}

export const references: ExtractReferences = compileDependencyPatterns(DEFAULT_DEPENDENCY_PATTERNS)

export const id = (text: string): EntryId => parseEntryId(text)

/** A JSON value as `JSON.parse` returns it: any double except NaN and the infinities, also -0, and awkward keys. */
export function jsonValue(): fc.Arbitrary<Json> {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }).filter((s) => !s.includes('\u0000')),
    fc.constantFrom('__proto__', 'constructor', 'toJSON', 'a', 'b', '10', '2', '\ufffd', '😀', ''),
  )
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constantFrom(-0, 5e-324, 1e21),
  )
  return fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(fc.constant(null), fc.boolean(), number, text) as fc.Arbitrary<Json>,
      fc.array(tie('value'), { maxLength: 5 }),
      fc.array(fc.tuple(text, tie('value')), { maxLength: 5 }).map(objectOf),
    ),
  })).value
}

export function objectOf(pairs: readonly (readonly [string, Json])[]): JsonObject {
  const members = [...new Map(pairs)].map(([key, value]) => `${JSON.stringify(key)}:${negativeZero(value)}`)
  return JSON.parse(`{${members.join(',')}}`) as JsonObject
}

/** `JSON.stringify` writes -0 as 0, although `JSON.parse` reads it. This preserves it within objects. */
function negativeZero(value: Json): string {
  if (Object.is(value, -0)) return '-0'
  if (Array.isArray(value)) return `[${(value as Json[]).map(negativeZero).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, member]) => `${JSON.stringify(key)}:${negativeZero(member as Json)}`)
    .join(',')}}`
}

const NAMES = ['a:1', 'a:2', 'a:3', 'b:1', 'b:2', 'c:1', 'c:2', 'd:1'] as const

export function entryId(): fc.Arbitrary<EntryId> {
  return fc.constantFrom(...NAMES.map(id))
}

const REFERENCE = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<string>(...NAMES) },
  fc.constantFrom('1', '2', 'ns:a', 'ns:b', 'group:g', 'group:h', 'a:gone', ':x'),
)

/** Few kinds and few values, so that equal contents and replacements by another kind are frequent. */
export function content(): fc.Arbitrary<SealedContent> {
  return fc
    .record({
      kind: fc.constantFrom('k.one', 'k.one', 'k.two'),
      depends_on: fc.array(REFERENCE, { maxLength: 3 }),
      groups: fc.subarray(['g', 'h']),
      data: fc.constantFrom<Json>(null, 1, { x: 1, y: [2] }, { y: [2], x: 1 }),
    })
    .map(({ kind, depends_on, groups, data }) => seal(kind, { depends_on, groups }, data))
}

export type State = ReadonlyMap<EntryId, SealedContent>

export function state(): fc.Arbitrary<State> {
  return fc.array(fc.tuple(entryId(), content()), { maxLength: 8 }).map((entries) => new Map(entries))
}

/** The content that a writer wants each entry to have; null for no entry. */
export type Edits = ReadonlyMap<EntryId, SealedContent | null>

export function edits(): fc.Arbitrary<Edits> {
  return fc.array(fc.tuple(entryId(), fc.option(content(), { freq: 3 })), { maxLength: 6 }).map((list) => new Map(list))
}

/** A changeset that makes these edits. It is not always the shortest: it also updates to equal content. */
export function changesetFor(before: State, wanted: Edits): Operation[] {
  const operations: Operation[] = []
  for (const [entry, after] of wanted) {
    const original = before.get(entry) ?? null
    if (original !== null && after !== null && original.kind === after.kind) {
      operations.push({ kind: 'UPDATE', id: entry, content: after, original })
      continue
    }
    if (original !== null) operations.push({ kind: 'DELETE', id: entry, content: null, original })
    if (after !== null) operations.push({ kind: 'CREATE', id: entry, content: after, original: null })
  }
  return runAtOnce(orderOperations(operations, references))
}

/** Shows an operation by value, for comparisons. */
export function shown(operation: Operation): string {
  const { kind, id: entry, content: after, original } = operation
  return `${kind} ${entry} ${original?.digest.slice(0, 8) ?? '-'} > ${after?.digest.slice(0, 8) ?? '-'}`
}

/** Shows a state by value. */
export function digests(of: State): Record<string, string> {
  return Object.fromEntries([...of].sort(([a], [b]) => (a < b ? -1 : 1)).map(([entry, held]) => [entry, held.digest]))
}
