import { createHash } from 'node:crypto'
import type { EntryIdParts } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import { canonicalLine, changesetHeader, moveOf } from './request-digest.js'
import type { ApplyChangesetInput, ApplyVersionInput, RawOperation, RevertVersionInput } from './write-input.js'

/*
 * Digests of idempotent requests as version 0.1.0 computed them: without a version of their own, and with ids and missing
 * contents as they were sent. Replies that it stored are compared by these, so that a request that is repeated across
 * an upgrade is replayed. The repetition may write the same input in another way, so the digests of the ways in which
 * clients write it are compared too. Replies are removed after two days.
 */

/** @bound Operations that are digested to recognize one request that an earlier release stored, about 100 ms of work. */
const MAX_LINES = 20_000
/** @bound Operations of such a request whose combinations of ways to write them are compared. */
const MOST_COMBINED = 12

/** Whether an applyChangeset request has this earlier digest, however its ids and empty contents were written. */
export function isEarlierChangesetDigest(stored: string, input: ApplyChangesetInput): boolean {
  const header = changesetHeader(input)
  try {
    const written = input.operations.map((operation) => new WrittenOperation(operation))
    if (written.length === 0) return stored === sha256Of([header])
    if (stored === sha256Of([header, ...written.map((each) => each.asSent)])) return true
    // Of a few operations each may have been written in its own way.
    const ways = written.slice(0, MOST_COMBINED).map((each) => each.ways())
    const combinations = ways.reduce((product, { length }) => product * length, 1)
    if (written.length <= MOST_COMBINED && written.length * combinations <= MAX_LINES)
      return hasCombination(stored, header, ways)
    // A client writes all of many operations alike.
    const tries = Math.max(2, Math.floor(MAX_LINES / written.length))
    return Array.from({ length: VARIANTS }, (_, variant) => variant)
      .slice(0, tries)
      .some((variant) => stored === sha256Of([header, ...written.map((each) => each.line(variant))]))
  } catch (error) {
    // Nested too deep to be serialized. The request will be refused, and a refusal is not stored.
    if (error instanceof RangeError) return false
    throw error
  }
}

/** Tries all combinations of the ways in which each of a few operations may have been written. */
function hasCombination(stored: string, header: string, ways: readonly (readonly string[])[]): boolean {
  const search = (before: readonly string[]): boolean => {
    const next = ways[before.length]
    if (next === undefined) return stored === sha256Of([header, ...before])
    return next.some((line) => search([...before, line]))
  }
  return search([])
}

const ID_FORMS = [
  ({ ns, name }: EntryIdParts) => `${ns}:${name}`,
  ({ ns, name }: EntryIdParts): Json => ({ ns, name }),
] as const
const NORMAL_FORMS = ['NFC', 'NFD'] as const
/** Empty meta as sent, left out, or written. */
const EMPTY_METAS = [undefined, null, {}] as const
const VARIANTS = ID_FORMS.length * NORMAL_FORMS.length * EMPTY_METAS.length

/** The lines that an earlier release hashed for one operation, depending on how the client wrote it. */
class WrittenOperation {
  readonly #parts: EntryIdParts
  readonly #hasEmptyMeta: boolean

  constructor(private readonly operation: RawOperation) {
    const { id, kind, meta } = operation
    this.#parts = typeof id === 'string' ? partsOf(id) : id
    this.#hasEmptyMeta = kind !== 'DELETE' && (meta === null || meta === undefined || isEmptyObject(meta))
  }

  get asSent(): string {
    const { id, meta } = this.operation
    return this.#line(typeof id === 'string' ? id : { ns: id.ns, name: id.name }, (meta ?? null) as Json)
  }

  /** The different lines of all variants. */
  ways(): readonly string[] {
    return [...new Set(Array.from({ length: VARIANTS }, (_, variant) => this.line(variant)))]
  }

  /** @param variant - the number of a way to write it, from 0 to `VARIANTS` - 1; the most usual ones come first */
  line(variant: number): string {
    const idOf = ID_FORMS[variant % ID_FORMS.length]!
    const form = NORMAL_FORMS[Math.floor(variant / ID_FORMS.length) % NORMAL_FORMS.length]!
    const emptyMeta = EMPTY_METAS[Math.floor(variant / (ID_FORMS.length * NORMAL_FORMS.length))]
    const { ns, name } = this.#parts
    const sent = (this.operation.meta ?? null) as Json
    return this.#line(
      idOf({ ns: ns.normalize(form), name: name.normalize(form) }),
      this.#hasEmptyMeta && emptyMeta !== undefined ? emptyMeta : sent,
    )
  }

  #line(id: Json, meta: Json): string {
    const { kind, entryKind, data, ifRevision, force } = this.operation
    return canonicalLine({
      kind,
      id,
      entryKind: entryKind ?? null,
      meta,
      data: (data ?? null) as Json,
      ifRevision: ifRevision ?? null,
      force: force === true,
    })
  }
}

function partsOf(id: string): EntryIdParts {
  const colon = id.indexOf(':')
  return colon < 0 ? { ns: '', name: id } : { ns: id.slice(0, colon), name: id.slice(colon + 1) }
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}

function sha256Of(lines: readonly string[]): string {
  const hash = createHash('sha256')
  for (const line of lines) hash.update(line)
  return hash.digest('hex')
}

/** Returns the earlier digest of an applyVersion request. */
export function earlierVersionDigest(input: ApplyVersionInput): string {
  return digestOf({ ...moveOf('applyVersion', input), force: input.force === true })
}

/** Returns the earlier digest of a revertVersion request, which had `force` only if it was set. */
export function earlierRevertDigest(input: RevertVersionInput): string {
  return digestOf({ ...moveOf('revertVersion', input), ...(input.force === true && { force: true }) })
}

function digestOf(input: Json): string {
  return sha256Of([canonicalLine(input)])
}
