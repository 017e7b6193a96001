import { createHash } from 'node:crypto'
import { canonicalJson } from '../core/canonical-json.js'
import type { EntryId } from '../core/entry-id.js'
import type { EntryRevision, SealedContent } from '../core/entry.js'
import { RegistryError } from '../core/errors.js'
import type { Json } from '../core/json.js'
import type { Head, Version } from '../core/version.js'
import type { ChangeRow } from './change-row.js'
import { ROOT_DIGEST, decodeChangeset, sha256, transitionDigest, versionDigest, type StoredChangeset } from './changeset-codec.js'
import type { Corruption, CorruptionPart, HistoryOptions, ReferenceRow, Verification } from './history.js'
import type { TransitionRow } from './plan-batch.js'
import { StateSum } from './state-sum.js'

/*
 * Two readings of history that share nothing, held against each other.
 *
 *   by the changesets            v0 ─▶ v1 ─▶ v2      walked down the version tree, undone on the way back up:
 *   (lineage of each version)         └─▶ v3         the state of every version, from v0 by its own lineage
 *
 *   by the log                   r1 ─▶ r2 ─▶ r3 ─▶ r4    walked along the revisions, row by row
 *
 * A state of a million entries is held as one number (StateSum), moved on by each change, so that every
 * version is compared in constant space; the rows are compared one by one besides, to name what is wrong.
 */

/** The stored rows as they are, in order; each call reads anew. */
export interface StoredHistory {
  /** Ascending; without changesets. */
  versions(): AsyncIterable<Version>
  changesets(numbers: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>>
  transitions(): AsyncIterable<TransitionRow>
  /** Ascending by revision. `metaIndex` is the searchable copy of meta, null where there is none. */
  changes(): AsyncIterable<{ readonly row: ChangeRow; readonly metaIndex: Json }>
  head(): AsyncIterable<{ readonly entry: EntryRevision; readonly metaIndex: Json }>
  pointer(): Promise<{ readonly head: Head; readonly lastVersion: number; readonly transitionDigest: string }>
  /** Every id in the index of names; null where there is no such index. */
  names: (() => AsyncIterable<EntryId>) | null
  references: (() => AsyncIterable<ReferenceRow>) | null
}

/** A broken store can have millions of wrong rows; that many are enough to see what happened. */
const MAX_CORRUPTIONS = 1_000
const CHANGESETS_AT_ONCE = 200

export async function verifyHistory(
  stored: StoredHistory,
  options: Pick<HistoryOptions, 'references'>,
  progress: (done: number, of: number) => void = () => {},
): Promise<Verification> {
  const corruptions: Corruption[] = []
  const report = (part: CorruptionPart, where: string, message: string) => {
    if (corruptions.length < MAX_CORRUPTIONS) corruptions.push({ part, where, message })
  }
  const versions: Version[] = []
  for await (const version of stored.versions()) versions.push(version)

  const replay = await replayLineages(versions, stored, report, progress)
  const line = await readLine(versions, replay, stored, report)
  await verifyHead(line.state, stored, options, report)
  const pointer = await stored.pointer()
  const newest = versions.at(-1)?.number ?? 0
  if (pointer.head.revision !== line.head.revision || pointer.head.version !== line.head.version) {
    report('head_pointer', 'head', `the head is said to be revision ${pointer.head.revision} at version ${pointer.head.version}, by the log it is revision ${line.head.revision} at version ${line.head.version}`)
  }
  if (pointer.lastVersion !== newest) report('head_pointer', 'last version', `said to be ${pointer.lastVersion}, but it is ${newest}`)
  if (pointer.transitionDigest !== line.digest) report('head_pointer', 'transition digest', 'is not that of the last transition')
  return { versions: versions.length, revisions: line.head.revision, changes: line.changes, corruptions }
}

type Report = (part: CorruptionPart, where: string, message: string) => void

interface Replay {
  /** By version number: the sum of the state that its lineage leads to. */
  readonly sums: ReadonlyMap<number, bigint>
  /** `<version>/<id>`: the hash of the text that this version's changeset wrote for the entry. */
  readonly written: ReadonlyMap<string, string>
  /** By version number: what its changeset does to each entry. */
  readonly operationCounts: ReadonlyMap<number, number>
}

/** Rebuilds every version from v0 by the changesets alone. */
async function replayLineages(
  versions: readonly Version[], stored: StoredHistory, report: Report, progress: (done: number, of: number) => void,
): Promise<Replay> {
  const byNumber = new Map(versions.map((version) => [version.number, version]))
  const childrenOf = new Map<number, number[]>()
  for (const { number, parent } of versions) {
    if (parent === null) {
      if (number !== 0) report('version', `v${number}`, 'has no parent')
      continue
    }
    if (!(parent < number) || !byNumber.has(parent)) report('version', `v${number}`, `its parent ${parent} is no earlier version`)
    else childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), number])
  }
  for (const [place, { number }] of versions.entries()) {
    if (number !== place) { report('version', `v${place}`, 'is missing'); break }
  }
  if (versions[0]?.digest !== ROOT_DIGEST) report('version', 'v0', 'its digest is not that of the root')

  const sum = new StateSum()
  const sums = new Map<number, bigint>()
  const written = new Map<string, string>()
  const operationCounts = new Map<number, number>()
  const changesets = new ChangesetReader(preorder(childrenOf), stored)
  // Depth first with an explicit stack: a lineage may be a million versions long.
  const stack: { number: number; undo: Undo[]; next: number }[] = []
  const enter = async (number: number) => {
    const undo = number === 0 ? [] : await replayOne(byNumber.get(number)!, byNumber, changesets, sum, written, operationCounts, report)
    sums.set(number, sum.value)
    stack.push({ number, undo, next: 0 })
    progress(sums.size, versions.length)
  }
  await enter(0)
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
  return { sums, written, operationCounts }
}

interface Undo { readonly id: EntryId; readonly entry: SummedEntry | undefined }
interface SummedEntry { readonly digest: string; readonly version: number; readonly kind: string }

async function replayOne(
  version: Version, byNumber: ReadonlyMap<number, Version>, changesets: ChangesetReader, sum: StateSum,
  written: Map<string, string>, operationCounts: Map<number, number>, report: Report,
): Promise<Undo[]> {
  const where = `v${version.number}`
  const bytes = await changesets.read(version.number)
  const parentDigest = byNumber.get(version.parent!)?.digest ?? ''
  if (bytes === undefined) { report('changeset', where, 'its changeset is missing'); return [] }
  if (versionDigest(parentDigest, bytes) !== version.digest) report('changeset', where, 'the digest does not follow from the parent and the changeset')
  let changeset: StoredChangeset
  try {
    changeset = decodeChangeset(bytes)
  } catch (error) {
    report('changeset', where, `cannot be read: ${(error as Error).message}`)
    return []
  }
  const header = [changeset.number, changeset.parent, changeset.author, changeset.message, changeset.createdAt.getTime()]
  const row = [version.number, version.parent, version.author, version.message, version.createdAt.getTime()]
  if (JSON.stringify(header) !== JSON.stringify(row)) report('version', where, `is stored as ${JSON.stringify(row)}, its changeset says ${JSON.stringify(header)}`)
  const counts = { CREATE: 0, UPDATE: 0, DELETE: 0 }
  const undo: Undo[] = []
  for (const { kind, id, content } of changeset.operations) {
    counts[kind]++
    const before = sum.get(id)
    undo.push({ id, entry: before })
    if ((kind === 'CREATE') !== (before === undefined)) report('changeset', where, `${kind} of ${id} does not fit the state of its parent`)
    if (content === null) {
      sum.set(id, undefined)
      continue
    }
    sum.set(id, { digest: digestOf(content), version: version.number, kind: content.kind })
    written.set(`${version.number}/${id}`, textHash(content))
  }
  operationCounts.set(version.number, changeset.operations.length)
  if (counts.CREATE !== version.created || counts.UPDATE !== version.updated || counts.DELETE !== version.deleted) {
    report('version', where, 'its counts are not those of its changeset')
  }
  return undo
}

/** Walks the log along the revisions and holds it against the replay. */
async function readLine(versions: readonly Version[], replay: Replay, stored: StoredHistory, report: Report) {
  const state = new Map<EntryId, EntryRevision>()
  const sum = new StateSum()
  const firstAt = new Map<number, number>([[0, 0]])
  const rows = stored.changes()[Symbol.asyncIterator]()
  let row = await rows.next()
  let head: Head = { revision: 0, version: 0 }
  let digest = ROOT_DIGEST
  let changes = 0
  let lastTime = -Infinity
  for await (const transition of stored.transitions()) {
    const { revision, kind, from, to } = transition
    const where = `r${revision}`
    if (revision !== head.revision + 1) report('transition', where, `follows revision ${head.revision}`)
    if (from !== head.version) report('transition', where, `starts from version ${from}, but the head was ${head.version}`)
    digest = transitionDigest(digest, transition)
    if (digest !== transition.digest) { report('transition', where, 'the digest does not follow from the transition before and its row'); digest = transition.digest }
    if (transition.createdAt.getTime() < lastTime) report('transition', where, 'is older than the transition before it')
    lastTime = transition.createdAt.getTime()
    if (kind === 'CHANGESET' && firstAt.has(to)) report('transition', where, `makes version ${to}, which was there before`)
    if (kind === 'VERSION' && !firstAt.has(to)) report('transition', where, `applies version ${to}, which was not there yet`)
    if (!firstAt.has(to)) firstAt.set(to, revision)

    const places: number[] = []
    while (!row.done && row.value.row.revision <= revision) {
      verifyRow(row.value.row, row.value.metaIndex, transition, state, replay, report)
      places.push(row.value.row.position, ...(row.value.row.deletePosition === null ? [] : [row.value.row.deletePosition]))
      sumRow(row.value.row, state, sum)
      changes++
      row = await rows.next()
    }
    if (places.length !== transition.changeCount || !isPermutation(places)) report('change', where, `its ${transition.changeCount} changes are not all there, each at its place`)
    if (transition.entryCount !== state.size) report('transition', where, `says ${transition.entryCount} entries, but there are ${state.size}`)
    if (sum.value !== replay.sums.get(to)) report('change', where, `the stored state is not what the changesets up to version ${to} lead to`)
    head = { revision, version: to }
  }
  if (!row.done) report('change', `r${row.value.row.revision}/${row.value.row.id}`, 'belongs to no transition')
  for (const { number, revision } of versions) {
    if (firstAt.get(number) !== revision) report('version', `v${number}`, `is stored as first at revision ${revision}, by the log it is ${firstAt.get(number) ?? 'at none'}`)
  }
  return { state, head, digest, changes }
}

function verifyRow(
  row: ChangeRow, metaIndex: Json, transition: TransitionRow, state: ReadonlyMap<EntryId, EntryRevision>, replay: Replay, report: Report,
): void {
  const where = `r${row.revision}/${row.id}`
  const before = state.get(row.id)
  if (row.revision !== transition.revision) report('change', where, 'belongs to no transition')
  const fits = ROW_FITS[row.operation]
  if (fits.before !== (before !== undefined)) report('change', where, `${row.operation} does not fit the state before`)
  if (row.previousRevision !== (before?.revision ?? null)) report('change', where, `names revision ${row.previousRevision} as the one before, it is ${before?.revision ?? null}`)
  if (before !== undefined && row.content !== null && fits.sameKind !== null && fits.sameKind !== (before.content.kind === row.content.kind)) {
    report('change', where, `${row.operation} from kind ${before.content.kind} to ${row.content.kind}`)
  }
  if (fits.content !== (row.content !== null)) report('change', where, `${row.operation} with${row.content === null ? 'out' : ''} content`)
  if (row.content === null) return
  if (transition.kind === 'CHANGESET' && row.version !== transition.to) report('change', where, `says version ${row.version}, it is ${transition.to}`)
  verifyContent('change', where, row.content, metaIndex, report)
  const written = replay.written.get(`${row.version}/${row.id}`)
  if (written !== textHash(row.content)) report('change', where, `is not what version ${row.version} wrote`)
}

const ROW_FITS = {
  create: { before: false, content: true, sameKind: null },
  update: { before: true, content: true, sameKind: true },
  delete: { before: true, content: false, sameKind: null },
  replace: { before: true, content: true, sameKind: false },
} as const

function verifyContent(part: CorruptionPart, where: string, content: SealedContent, metaIndex: Json, report: Report): void {
  let digest: string | undefined
  try {
    digest = digestOf(content)
    if (metaIndex !== null && canonicalJson(metaIndex) !== canonicalJson(content.meta)) report(part, where, 'the searchable copy of meta differs from meta')
  } catch (error) {
    report(part, where, `cannot be read: ${(error as Error).message}`)
  }
  if (digest !== undefined && digest !== content.digest) report(part, where, 'the content does not have its digest')
}

function sumRow(row: ChangeRow, state: Map<EntryId, EntryRevision>, sum: StateSum): void {
  if (row.content === null) {
    state.delete(row.id)
    sum.set(row.id, undefined)
    return
  }
  const version = row.version ?? -1
  state.set(row.id, { id: row.id, content: row.content, revision: row.revision, version })
  sum.set(row.id, { digest: row.content.digest, version, kind: row.content.kind })
}

async function verifyHead(
  state: ReadonlyMap<EntryId, EntryRevision>, stored: StoredHistory, options: Pick<HistoryOptions, 'references'>, report: Report,
): Promise<void> {
  let count = 0
  const expected = new Set<string>()
  for await (const { entry, metaIndex } of stored.head()) {
    count++
    const { id, content, revision, version } = entry
    const there = state.get(id)
    if (there === undefined) { report('head', id, 'stands at the head, but by the log there is no such entry'); continue }
    if (there.revision !== revision || there.version !== version) report('head', id, `says r${revision} of v${version}, by the log it is r${there.revision} of v${there.version}`)
    if (textHash(content) !== textHash(there.content) || content.digest !== there.content.digest) report('head', id, 'does not hold what the log holds')
    verifyContent('head', id, content, metaIndex, report)
    if (stored.references === null) continue
    for (const { path, reference, target } of options.references(id, there.content)) {
      if (target.type !== 'nothing') expected.add(JSON.stringify([id, path, reference, target]))
    }
  }
  if (count !== state.size) report('head', 'head', `holds ${count} entries, by the log there are ${state.size}`)
  if (stored.references !== null) {
    for await (const { source, path, reference, target } of stored.references()) {
      if (!expected.delete(JSON.stringify([source, path, reference, target]))) report('reference', `${source} ${path}`, 'stands in no entry')
    }
    for (const missing of expected) report('reference', missing, 'is missing from the index of references')
  }
  if (stored.names !== null) {
    const missing = new Set(state.keys())
    for await (const id of stored.names()) missing.delete(id)
    for (const id of missing) report('entry_name', id, 'is missing from the index of names')
  }
}

function digestOf(content: { kind: string; metaText: string; dataText: string }): string {
  return sha256(canonicalJson({ kind: content.kind, meta: JSON.parse(content.metaText) as Json, data: JSON.parse(content.dataText) as Json }))
}

function textHash(content: { kind: string; metaText: string; dataText: string }): string {
  return createHash('sha256').update(`${content.kind}\0${content.metaText}\0${content.dataText}`).digest('base64')
}

function isPermutation(places: readonly number[]): boolean {
  const seen = new Set(places)
  return seen.size === places.length && places.every((place) => place >= 0 && place < places.length)
}

/** Versions in the order in which the tree is walked, v0 left out: it has no changeset. */
function preorder(childrenOf: ReadonlyMap<number, readonly number[]>): number[] {
  const order: number[] = []
  const stack = [...(childrenOf.get(0) ?? [])].reverse()
  while (stack.length > 0) {
    const number = stack.pop()!
    order.push(number)
    stack.push(...[...(childrenOf.get(number) ?? [])].reverse())
  }
  return order
}

/** Reads changesets ahead in the order in which they will be asked for. */
class ChangesetReader {
  #ahead = new Map<number, Uint8Array>()
  #next = 0

  constructor(readonly order: readonly number[], readonly stored: StoredHistory) {}

  async read(number: number): Promise<Uint8Array | undefined> {
    if (!this.#ahead.has(number) && this.#next < this.order.length) {
      const wanted = this.order.slice(this.#next, this.#next + CHANGESETS_AT_ONCE)
      this.#next += wanted.length
      for (const [found, bytes] of await this.stored.changesets(wanted)) this.#ahead.set(found, bytes)
    }
    const bytes = this.#ahead.get(number)
    this.#ahead.delete(number)
    return bytes
  }
}

export function refuseWithoutHistory(): never {
  throw new RegistryError('HISTORY_NOT_KEPT', 'there is nothing to verify: this registry keeps no history (CADASTRE_STORE=none)')
}
