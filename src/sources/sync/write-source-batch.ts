import type { ProblemCode } from '../../core/errors/codes.js'
import type { Problem } from '../../core/errors/problem.js'
import type { Operation } from '../../core/ordering/operation.js'
import type { Registry } from '../../registry/registry.js'
import { type SourceSettings, sourceAuthor } from '../contract/source-settings.js'
import type { PlannedWrite } from './plan-source-writes.js'

export interface WriteLimits {
  readonly changesetOperations: number
  readonly changesetBytes: number
}

export interface WriteOptions {
  readonly settings: SourceSettings
  readonly registry: Registry
  readonly limits: WriteLimits
  readonly dryRun: boolean
  /** Called before each changeset, except in a dry run. @throws LeaseLost */
  readonly aboutToWrite: () => Promise<void>
}

export interface WriteListener {
  /** Called as soon as a changeset is committed. */
  readonly committed: (written: WrittenChangeset) => Promise<void>
}

/** A changeset that was applied. */
export interface WrittenChangeset {
  readonly writes: readonly PlannedWrite[]
  /** Null in a dry run. */
  readonly revision: number | null
  readonly version: number
  readonly delta: readonly Operation[]
}

export interface WriteResult {
  readonly written: readonly WrittenChangeset[]
  /** Writes whose entry has changed since they were planned. */
  readonly outdated: readonly PlannedWrite[]
  readonly refused: readonly { readonly write: PlannedWrite; readonly message: string }[]
}

/** Problems of an entry that has changed since its write was planned. */
const OUTDATED: readonly ProblemCode[] = ['CONFLICT', 'ENTRY_EXISTS', 'ENTRY_NOT_FOUND', 'KIND_MISMATCH']
/** Problems of a single entry. Like a file that does not parse, they do not stop the others. */
const OF_ONE_ENTRY: readonly ProblemCode[] = ['INVALID_ENTRY', 'TOO_LARGE', 'ENTRY_IN_USE']

/**
 * Applies writes as one changeset, or as several in sequence if the limits require it. Writes with a problem of their own
 * are left out and reported. For any other problem the whole changeset is refused.
 */
export async function writeSourceBatch(
  writes: readonly PlannedWrite[],
  options: WriteOptions & WriteListener,
): Promise<WriteResult> {
  const result = {
    written: [] as WrittenChangeset[],
    outdated: [] as PlannedWrite[],
    refused: [] as { write: PlannedWrite; message: string }[],
  }
  const waiting = chunksOf(writes, options.limits)
  for (let chunk = waiting.shift(); chunk !== undefined; chunk = waiting.shift()) {
    if (chunk.length === 0) continue
    if (!options.dryRun) await options.aboutToWrite()
    const outcome = await options.registry.applyChangeset(
      {
        operations: chunk.flatMap(({ operations }) => operations),
        message: messageOf(chunk, options.settings),
        dryRun: options.dryRun,
      },
      { author: sourceAuthor(options.settings.name) },
    )
    if (outcome.type === 'applied') {
      const written = { writes: chunk, revision: outcome.revision, version: outcome.head.version, delta: outcome.delta }
      result.written.push(written)
      await options.committed(written)
      continue
    }
    const { single, whole } = sortProblems(chunk, outcome.problems)
    if (whole === undefined) {
      const rest: PlannedWrite[] = []
      for (const write of chunk) {
        const problems = single.get(write)
        if (problems === undefined) rest.push(write)
        else if (problems.every(({ code }) => OUTDATED.includes(code))) result.outdated.push(write)
        else result.refused.push({ write, message: problems.map(({ message }) => message).join('; ') })
      }
      waiting.unshift(rest)
    } else if (whole.code === 'TOO_LARGE' && chunk.length > 1) {
      const half = Math.ceil(chunk.length / 2)
      waiting.unshift(chunk.slice(0, half), chunk.slice(half))
    } else {
      for (const write of chunk) {
        const own = single
          .get(write)
          ?.map(({ message }) => message)
          .join('; ')
        result.refused.push({ write, message: own ?? `the changeset was refused: ${whole.message}` })
      }
      result.refused.sort((a, b) => Number(single.has(b.write)) - Number(single.has(a.write)))
    }
  }
  return result
}

/** Problems by write, and the first one that refuses the whole changeset, if any. */
function sortProblems(
  chunk: readonly PlannedWrite[],
  problems: readonly Problem[],
): { single: Map<PlannedWrite, Problem[]>; whole: Problem | undefined } {
  const owners = chunk.flatMap((write) => write.operations.map(() => write))
  const single = new Map<PlannedWrite, Problem[]>()
  let whole: Problem | undefined
  for (const problem of problems) {
    const write = problem.operation === undefined ? undefined : owners[problem.operation]
    if (write !== undefined) single.set(write, [...(single.get(write) ?? []), problem])
    if (write === undefined || !(OUTDATED.includes(problem.code) || OF_ONE_ENTRY.includes(problem.code)))
      whole ??= problem
  }
  return { single, whole }
}

/** Splits writes into chunks within the limits. */
function chunksOf(writes: readonly PlannedWrite[], limits: WriteLimits): PlannedWrite[][] {
  const pieces: PlannedWrite[][] = []
  let piece: PlannedWrite[] = []
  let operations = 0
  let bytes = 0
  for (const write of writes) {
    const more = contentBytes(write)
    const fits =
      operations + write.operations.length <= limits.changesetOperations && bytes + more <= limits.changesetBytes
    if (!fits && piece.length > 0) {
      pieces.push(piece)
      piece = []
      operations = 0
      bytes = 0
    }
    piece.push(write)
    operations += write.operations.length
    bytes += more
  }
  if (piece.length > 0) pieces.push(piece)
  return pieces
}

function contentBytes({ intent }: PlannedWrite): number {
  return intent.type === 'gone'
    ? 0
    : Buffer.byteLength(intent.content.metaText) + Buffer.byteLength(intent.content.dataText)
}

const NAMED_PLACES = 3
/** The message is one line in the log. */
const LONGEST_PLACE = 200
const UNFIT = /[\u0000\p{Surrogate}]/gu

/** `source app (filesystem): a.yaml, b.yaml and 7 more` */
function messageOf(writes: readonly PlannedWrite[], { name, provider }: SourceSettings): string {
  const places = new Set(
    writes.map(({ intent }) => (intent.type === 'new' ? intent.location : intent.record.location) ?? intent.id),
  )
  const named = [...places]
    .slice(0, NAMED_PLACES)
    .map((place) => (place.length > LONGEST_PLACE ? `…${place.slice(-LONGEST_PLACE)}` : place))
  const more = places.size > named.length ? ` and ${places.size - named.length} more` : ''
  return `source ${name} (${provider}): ${named.join(', ')}${more}`.replace(UNFIT, '\ufffd')
}
