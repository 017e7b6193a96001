import type { EntryId } from '../../core/entry/entry-id.js'
import type { Version } from '../../core/history/version.js'
import { inSlices } from '../coalescing/time-slices.js'
import { decodeChangeset, rootDigest, type StoredChangeset, versionDigest } from '../planning/changeset-codec.js'
import { baselineRoots } from './baseline-roots.js'
import { ChangesetReader } from './changeset-reader.js'
import { contentDigest, textHash } from './content-digest.js'
import type { ReportCorruption } from './report-corruption.js'
import { StateSum, type SummedEntry } from './state-sum.js'
import type { StoredHistory, StoredVersion } from './stored-history.js'

function verifyRoot(root: Version | undefined, report: ReportCorruption): void {
  if (root === undefined) return
  if (root.digest !== rootDigest(root.createdAt)) report('version', 'v0', 'Its digest does not match its time')
  const { number, parent, revision, author, message, created, updated, deleted } = root
  const storedRow = JSON.stringify([number, parent, revision, author, message, created, updated, deleted])
  if (storedRow !== '[0,null,0,null,null,0,0,0]') report('version', 'v0', `Is stored as ${storedRow}`)
}

export interface Replay {
  /** By version number: the sum of the state at the end of its lineage. */
  readonly sums: ReadonlyMap<number, bigint>
  /** By `<version>/<id>`: the hash of the text that the version's changeset wrote for the entry; null without `byText`. */
  readonly written: ReadonlyMap<string, string> | null
  /** By version number: the number of operations in its changeset. */
  readonly operationCounts: ReadonlyMap<number, number>
}

export interface ReplayOptions {
  /** Versions of earlier revisions have been compacted away. Those with retained descendants have a stored state sum. */
  readonly oldestRevision: number
  /**
   * Whether each text is compared with the log. This identifies the texts that differ. The state sum only shows that
   * some text differs.
   */
  readonly byText: boolean
  readonly progress: (done: number, of: number) => void
}

/** Rebuilds the state of every retained version, from v0 or from the baseline, by the changesets alone. */
export async function replayLineages(
  versions: readonly StoredVersion[],
  stored: StoredHistory,
  report: ReportCorruption,
  { oldestRevision, byText, progress }: ReplayOptions,
): Promise<Replay> {
  const byNumber = new Map(versions.map((version) => [version.number, version]))
  const childrenOf = new Map<number, number[]>()
  for (const { number, parent, revision } of versions) {
    if (parent === null) {
      if (number !== 0) report('version', `v${number}`, 'Has no parent')
      continue
    }
    if (!(parent < number) || !byNumber.has(parent))
      report('version', `v${number}`, `Its parent ${parent} is not an earlier version`)
    else if (revision >= oldestRevision) childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), number])
  }
  for (const [place, { number }] of versions.entries()) {
    if (number !== place) {
      report('version', `v${place}`, 'Is missing')
      break
    }
  }
  verifyRoot(versions[0], report)

  let sum = new StateSum()
  const sums = new Map<number, bigint>()
  const written = new Map<string, string>()
  const operationCounts = new Map<number, number>()
  const roots =
    oldestRevision === 0
      ? [{ number: 0, sum }]
      : await baselineRoots(versions, childrenOf, oldestRevision, sums, stored, report)
  const changesets = new ChangesetReader(
    roots.flatMap(({ number }) => preorder(childrenOf, number)),
    stored,
  )
  // Depth first, with an explicit stack, because a lineage may be a million versions long.
  const stack: { number: number; undo: Undo[]; next: number }[] = []
  const enter = async (number: number) => {
    const undo = await replayOne(
      byNumber.get(number)!,
      byNumber,
      changesets,
      sum,
      byText ? written : null,
      operationCounts,
      report,
    )
    sums.set(number, sum.value)
    stack.push({ number, undo, next: 0 })
    progress(sums.size, versions.length)
  }
  for (const root of roots) {
    sum = root.sum
    sums.set(root.number, sum.value)
    stack.push({ number: root.number, undo: [], next: 0 })
    progress(sums.size, versions.length)
    while (stack.length > 0) {
      const top = stack.at(-1)!
      const child = childrenOf.get(top.number)?.[top.next++]
      if (child !== undefined) {
        await enter(child)
      } else {
        for (const { id, entry } of top.undo.reverse()) sum.set(id, entry)
        stack.pop()
      }
    }
  }
  return { sums, written: byText ? written : null, operationCounts }
}

interface Undo {
  readonly id: EntryId
  readonly entry: SummedEntry | undefined
}

async function replayOne(
  version: Version,
  byNumber: ReadonlyMap<number, Version>,
  changesets: ChangesetReader,
  sum: StateSum,
  written: Map<string, string> | null,
  operationCounts: Map<number, number>,
  report: ReportCorruption,
): Promise<Undo[]> {
  const where = `v${version.number}`
  const bytes = await changesets.read(version.number)
  const parentDigest = byNumber.get(version.parent!)?.digest ?? ''
  if (bytes === undefined) {
    report('changeset', where, 'Its changeset is missing')
    return []
  }
  if ((await inSlices(versionDigest(parentDigest, bytes))) !== version.digest)
    report('changeset', where, 'Its digest does not follow from the parent and the changeset')
  let changeset: StoredChangeset
  try {
    changeset = decodeChangeset(bytes)
  } catch (error) {
    report('changeset', where, `Cannot be read: ${(error as Error).message}`)
    return []
  }
  const header = [
    changeset.number,
    changeset.parent,
    changeset.author,
    changeset.message,
    changeset.createdAt.getTime(),
  ]
  const row = [version.number, version.parent, version.author, version.message, version.createdAt.getTime()]
  if (JSON.stringify(header) !== JSON.stringify(row))
    report('version', where, `Is stored as ${JSON.stringify(row)}; its changeset has ${JSON.stringify(header)}`)
  const counts = { CREATE: 0, UPDATE: 0, DELETE: 0 }
  const undo: Undo[] = []
  for (const { kind, id, content } of changeset.operations) {
    counts[kind]++
    const before = sum.get(id)
    undo.push({ id, entry: before })
    if ((kind === 'CREATE') !== (before === undefined))
      report('changeset', where, `${kind} of ${id} does not fit the state of its parent`)
    if (content === null) {
      sum.set(id, undefined)
      continue
    }
    const digest = contentDigest(content)
    if (digest === null) report('changeset', where, `The content of ${id} is not JSON`)
    sum.set(id, { digest: digest ?? '' })
    written?.set(`${version.number}/${id}`, textHash(content))
  }
  operationCounts.set(version.number, changeset.operations.length)
  if (counts.CREATE !== version.created || counts.UPDATE !== version.updated || counts.DELETE !== version.deleted) {
    report('version', where, 'Its counts are not those of its changeset')
  }
  return undo
}

/** The versions below a root in preorder. The root itself has no changeset. */
function preorder(childrenOf: ReadonlyMap<number, readonly number[]>, root: number): number[] {
  const order: number[] = []
  const stack = [...(childrenOf.get(root) ?? [])].reverse()
  while (stack.length > 0) {
    const number = stack.pop()!
    order.push(number)
    stack.push(...[...(childrenOf.get(number) ?? [])].reverse())
  }
  return order
}
