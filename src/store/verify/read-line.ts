import type { EntryId } from '../../core/entry-id.js'
import type { EntryRevision } from '../../core/entry.js'
import type { Json } from '../../core/json.js'
import type { Head, Version } from '../../core/version.js'
import type { ChangeRow } from '../change-row.js'
import { FIRST_LINK, transitionDigest } from '../changeset-codec.js'
import type { TransitionRow } from '../plan-batch.js'
import { textHash } from './content-digest.js'
import type { Replay } from './replay-lineages.js'
import { StateSum } from './state-sum.js'
import type { StoredHistory } from './stored-history.js'
import { verifyContent } from './verify-content.js'
import type { Report } from './report.js'

/** Walks the log along the revisions and holds it against the replay. */
export async function readLine(versions: readonly Version[], replay: Replay, stored: StoredHistory, report: Report) {
  const state = new Map<EntryId, EntryRevision>()
  const everSeen = new Set<EntryId>()
  const sum = new StateSum()
  const firstAt = new Map<number, number>([[0, 0]])
  const rows = stored.changes()[Symbol.asyncIterator]()
  let row = await rows.next()
  let head: Head = { revision: 0, version: 0 }
  let digest = FIRST_LINK
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
      everSeen.add(row.value.row.id)
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
  return { state, everSeen, head, digest, changes }
}

function verifyRow(
  row: ChangeRow, metaIndex: Json, transition: TransitionRow, state: ReadonlyMap<EntryId, EntryRevision>, replay: Replay, report: Report,
): void {
  const where = `r${row.revision}/${row.id}`
  const before = state.get(row.id)
  if (row.revision !== transition.revision) report('change', where, 'belongs to no transition')
  const fits: (typeof ROW_FITS)[keyof typeof ROW_FITS] | undefined = ROW_FITS[row.operation]
  if (fits === undefined) return report('change', where, `there is no operation "${row.operation as string}"`)
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

function sumRow(row: ChangeRow, state: Map<EntryId, EntryRevision>, sum: StateSum): void {
  if (row.content === null) {
    state.delete(row.id)
    sum.set(row.id, undefined)
    return
  }
  const version = row.version ?? -1
  state.set(row.id, { id: row.id, content: row.content, revision: row.revision, version })
  sum.set(row.id, { digest: row.content.digest })
}

function isPermutation(places: readonly number[]): boolean {
  const seen = new Set(places)
  return seen.size === places.length && places.every((place) => place >= 0 && place < places.length)
}
