import { createHash } from 'node:crypto'
import { flatMapInSteps, type Steps } from '../../core/algorithms/steps.js'
import type { EntryIdParts } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import { canonicalJsonInSteps } from '../../core/entry/json-in-steps.js'
import { canonicalLine, changesetHeader, digestOf, moveOf } from './request-digest.js'
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
/** Characters of a line that is hashed without a pause. */
const FEW_CHARACTERS = 4_096

/** Whether an applyChangeset request has this earlier digest, however its ids and empty contents were written. */
export function* isEarlierChangesetDigest(stored: string, input: ApplyChangesetInput): Steps<boolean> {
  const header = changesetHeader(input)
  const written = yield* flatMapInSteps(input.operations, (operation) => [new WrittenOperation(operation)])
  if (stored === (yield* digestOf(header, written, ({ asSent }) => asSent))) return true
  // Of a few operations each may have been written in its own way.
  if (written.length <= MOST_COMBINED) {
    const ways: (readonly string[])[] = []
    for (const each of written) ways.push(yield* each.ways())
    const combinations = ways.reduce((product, { length }) => product * length, 1)
    if (written.length * combinations <= MAX_LINES) return yield* hasCombination(stored, canonicalLine(header), ways)
  }
  // A client writes all of many operations alike.
  const tries = Math.min(VARIANTS, Math.max(2, Math.floor(MAX_LINES / written.length)))
  for (let variant = 0; variant < tries; variant++)
    if (stored === (yield* digestOf(header, written, (each) => each.value(variant)))) return true
  return false
}

/** Tries all combinations of the ways in which each of a few operations may have been written. */
function* hasCombination(stored: string, header: string, ways: readonly (readonly string[])[]): Steps<boolean> {
  function* search(before: readonly string[]): Steps<boolean> {
    const next = ways[before.length]
    if (next === undefined) {
      yield
      return stored === (yield* sha256Of([header, ...before]))
    }
    for (const line of next) if (yield* search([...before, line])) return true
    return false
  }
  return yield* search([])
}

const ID_FORMS = [
  ({ ns, name }: EntryIdParts) => `${ns}:${name}`,
  ({ ns, name }: EntryIdParts): Json => ({ ns, name }),
] as const
const NORMAL_FORMS = ['NFC', 'NFD'] as const
/** Empty meta as sent, left out, or written. */
const EMPTY_METAS = [undefined, null, {}] as const
const VARIANTS = ID_FORMS.length * NORMAL_FORMS.length * EMPTY_METAS.length

/** The values that an earlier release hashed for one operation, depending on how the client wrote it. */
class WrittenOperation {
  readonly #parts: EntryIdParts
  readonly #hasEmptyMeta: boolean

  constructor(private readonly operation: RawOperation) {
    const { id, kind, meta } = operation
    this.#parts = typeof id === 'string' ? partsOf(id) : id
    this.#hasEmptyMeta = kind !== 'DELETE' && (meta === null || meta === undefined || isEmptyObject(meta))
  }

  get asSent(): Json {
    const { id, meta } = this.operation
    return this.#valueOf(typeof id === 'string' ? id : { ns: id.ns, name: id.name }, (meta ?? null) as Json)
  }

  /** The different lines of all variants. */
  *ways(): Steps<readonly string[]> {
    const lines = new Set<string>()
    for (let variant = 0; variant < VARIANTS; variant++)
      lines.add(`${yield* canonicalJsonInSteps(this.value(variant))}\n`)
    return [...lines]
  }

  /** @param variant - the number of a way to write it, from 0 to `VARIANTS` - 1; the most usual ones come first */
  value(variant: number): Json {
    const idOf = ID_FORMS[variant % ID_FORMS.length]!
    const form = NORMAL_FORMS[Math.floor(variant / ID_FORMS.length) % NORMAL_FORMS.length]!
    const emptyMeta = EMPTY_METAS[Math.floor(variant / (ID_FORMS.length * NORMAL_FORMS.length))]
    const { ns, name } = this.#parts
    const sent = (this.operation.meta ?? null) as Json
    return this.#valueOf(
      idOf({ ns: ns.normalize(form), name: name.normalize(form) }),
      this.#hasEmptyMeta && emptyMeta !== undefined ? emptyMeta : sent,
    )
  }

  #valueOf(id: Json, meta: Json): Json {
    const { kind, entryKind, data, ifRevision, force } = this.operation
    return {
      kind,
      id,
      entryKind: entryKind ?? null,
      meta,
      data: (data ?? null) as Json,
      ifRevision: ifRevision ?? null,
      force: force === true,
    }
  }
}

function partsOf(id: string): EntryIdParts {
  const colon = id.indexOf(':')
  return colon < 0 ? { ns: '', name: id } : { ns: id.slice(0, colon), name: id.slice(colon + 1) }
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}

function* sha256Of(lines: readonly string[]): Steps<string> {
  const hash = createHash('sha256')
  for (const line of lines) {
    hash.update(line)
    if (line.length > FEW_CHARACTERS) yield
  }
  return hash.digest('hex')
}

/** Whether an applyVersion request has this earlier digest. */
export function* isEarlierVersionDigest(stored: string, input: ApplyVersionInput): Steps<boolean> {
  return stored === (yield* digestOf({ ...moveOf('applyVersion', input), force: input.force === true }))
}

/** Whether a revertVersion request has this earlier digest, which had `force` only if it was set. */
export function* isEarlierRevertDigest(stored: string, input: RevertVersionInput): Steps<boolean> {
  return (
    stored === (yield* digestOf({ ...moveOf('revertVersion', input), ...(input.force === true && { force: true }) }))
  )
}
