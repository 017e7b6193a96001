import { type EntryId, InvalidEntryId, parseEntryId } from '../../core/entry/entry-id.js'
import { type SealRules, sealContent } from '../../core/entry/seal-content.js'
import { utf8Length } from '../../core/entry/text.js'
import type { Problem } from '../../core/errors/problem.js'
import type { SubmittedOperation } from '../../core/ordering/operation.js'
import { timeSlicer } from '../async/pause.js'
import type { RawOperation } from './write-input.js'

export interface ChangesetLimits {
  readonly changesetOperations: number
  /** UTF-8 bytes of the texts of all contents together. */
  readonly changesetBytes: number
}

/** What can be said of a changeset without looking at any state. */
export type CheckedChangeset =
  | {
      readonly operations: readonly SubmittedOperation[]
      readonly problems: readonly Problem[]
      readonly bytes: number
    }
  /** Nothing else was looked at. */
  | { readonly tooLarge: Problem }

/**
 * Reads the ids and seals the contents, and names every fault with its operation's index. Takes about 10 µs
 * an operation, so a long changeset is checked in slices, between which others have their turn.
 */
export async function checkChangeset(
  raw: readonly RawOperation[],
  limits: ChangesetLimits,
  rules: SealRules,
): Promise<CheckedChangeset> {
  if (raw.length > limits.changesetOperations) {
    return tooLarge(`the changeset has ${raw.length} operations; it may have ${limits.changesetOperations}`)
  }
  const operations: SubmittedOperation[] = []
  const problems: Problem[] = []
  const breath = timeSlicer()
  let bytes = 0
  for (const [index, operation] of raw.entries()) {
    const id = readId(operation, index, problems)
    const content = readContent(operation, index, id, rules, problems)
    bytes += content === undefined || content === null ? 0 : utf8Length(content.metaText) + utf8Length(content.dataText)
    if (bytes > limits.changesetBytes) {
      return tooLarge(`the changeset's contents take more than ${limits.changesetBytes} bytes as JSON`)
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
    const pause = breath()
    if (pause !== undefined) await pause
  }
  return { operations, problems, bytes }
}

function readId({ id }: RawOperation, operation: number, problems: Problem[]): EntryId | undefined {
  try {
    return parseEntryId(id)
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

/** Null for a delete, undefined where there are faults. */
function readContent(
  { kind, id, entryKind, meta, data }: RawOperation,
  operation: number,
  read: EntryId | undefined,
  rules: SealRules,
  problems: Problem[],
) {
  if (kind === 'DELETE') return null
  const sealed = sealContent({ kind: entryKind ?? '', meta, data }, rules)
  if ('content' in sealed) return sealed.content
  const entry = read === undefined ? { entryId: shownId(id), isMalformedId: true as const } : { entryId: read }
  for (const { code, message } of sealed.faults) problems.push({ code, message, operation, ...entry })
  return undefined
}

/** As it was sent, save for what no answer could carry. */
function shownId(id: RawOperation['id']): string {
  const text = typeof id === 'string' ? id : `${id.ns}:${id.name}`
  const cut = text.length > 1_000 ? `${text.slice(0, 999)}…` : text
  return cut.replace(/\p{Surrogate}/gu, '\ufffd')
}

function tooLarge(message: string): CheckedChangeset {
  return { tooLarge: { code: 'TOO_LARGE', message: `${message}: split it` } }
}
