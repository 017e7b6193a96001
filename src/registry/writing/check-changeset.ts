import type { Steps } from '../../core/algorithms/steps.js'
import type { SealedContent } from '../../core/entry/entry.js'
import { type EntryId, InvalidEntryId, parseEntryId, parseStoredEntryId } from '../../core/entry/entry-id.js'
import { type SealRules, sealContent } from '../../core/entry/seal-content.js'
import { utf8Length } from '../../core/entry/text.js'
import type { Problem } from '../../core/errors/problem.js'
import type { SubmittedOperation } from '../../core/ordering/operation.js'
import type { RawOperation } from './write-input.js'

export interface ChangesetLimits {
  readonly changesetOperations: number
  /** Size of all contents together, as UTF-8 JSON. */
  readonly changesetBytes: number
}

/** Operations that are checked between two pauses. */
const OPERATIONS_PER_STEP = 16

/** Result of the checks that need no state. */
export type CheckedChangeset =
  | {
      readonly operations: readonly SubmittedOperation[]
      readonly problems: readonly Problem[]
      readonly bytes: number
    }
  /** Nothing else was checked. */
  | { readonly tooLarge: Problem }

/**
 * Reads ids and seals contents, and reports every fault with the index of its operation. Each operation takes about 10
 * µs.
 */
export function* checkChangeset(
  raw: readonly RawOperation[],
  limits: ChangesetLimits,
  rules: SealRules,
): Steps<CheckedChangeset> {
  if (raw.length > limits.changesetOperations) {
    return tooLarge(`The changeset has ${raw.length} operations, and it may have ${limits.changesetOperations}`)
  }
  const operations: SubmittedOperation[] = []
  const problems: Problem[] = []
  let bytes = 0
  for (const [index, operation] of raw.entries()) {
    const id = readId(operation, index, problems)
    const content = yield* readContent(operation, index, id, rules, problems)
    bytes += content === undefined || content === null ? 0 : utf8Length(content.metaText) + utf8Length(content.dataText)
    if (bytes > limits.changesetBytes) {
      return tooLarge(`The contents of the changeset take more than ${limits.changesetBytes} bytes as JSON`)
    }
    if (id !== undefined && content !== undefined) {
      const force = operation.force === true
      operations.push({
        index,
        kind: operation.kind,
        id,
        content,
        ifRevision: operation.ifRevision ?? null,
        ...(force && { force }),
      })
    }
    if (index % OPERATIONS_PER_STEP === OPERATIONS_PER_STEP - 1) yield
  }
  return { operations, problems, bytes }
}

/** A delete may name an entry that was stored before its id would be refused. */
function readId({ id, kind }: RawOperation, operation: number, problems: Problem[]): EntryId | undefined {
  try {
    return kind === 'DELETE' ? parseStoredEntryId(id) : parseEntryId(id)
  } catch (error) {
    if (!(error instanceof InvalidEntryId)) throw error
    problems.push({
      code: 'INVALID_ENTRY',
      message: error.message,
      operation,
      entryId: shownId(id),
      isMalformedId: true,
    })
    return undefined
  }
}

/** Returns the sealed content. Null for a delete, undefined if there are faults. */
function* readContent(
  { kind, id, entryKind, meta, data }: RawOperation,
  operation: number,
  read: EntryId | undefined,
  rules: SealRules,
  problems: Problem[],
): Steps<SealedContent | null | undefined> {
  if (kind === 'DELETE') return null
  const sealed = yield* sealContent({ kind: entryKind ?? '', meta, data }, rules)
  if ('content' in sealed) return sealed.content
  const entry = read === undefined ? { entryId: shownId(id), isMalformedId: true as const } : { entryId: read }
  for (const { code, message } of sealed.faults) problems.push({ code, message, operation, ...entry })
  return undefined
}

/** Returns an id as it was sent, without characters that an answer cannot contain. */
function shownId(id: RawOperation['id']): string {
  const text = typeof id === 'string' ? id : `${id.ns}:${id.name}`
  const cut = text.length > 1_000 ? `${text.slice(0, 999)}…` : text
  return cut.replace(/\p{Surrogate}/gu, '\ufffd')
}

function tooLarge(message: string): CheckedChangeset {
  return { tooLarge: { code: 'TOO_LARGE', message: `${message}. Split it.` } }
}
