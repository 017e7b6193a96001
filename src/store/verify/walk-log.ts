import type { EntryId } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import type { Head, Version } from '../../core/history/version.js'
import type { ChangeRow } from '../planning/change-row.js'
import { CHAIN_START_DIGEST, transitionDigest } from '../planning/changeset-codec.js'
import type { TransitionRow } from '../planning/commit-state.js'
import { type Baseline, type MeasuredBaseline, rowDigest, sumText, transitionLink } from './baseline.js'
import { textHash } from './content-digest.js'
import type { Replay } from './replay-lineages.js'
import type { ReportCorruption } from './report-corruption.js'
import { StateSum } from './state-sum.js'
import type { StoredHistory } from './stored-history.js'
import { verifyContent } from './verify-content.js'

/** The current state of an entry, without its texts, which may be gigabytes in total. */
export interface WalkedEntry {
  readonly revision: number
  readonly version: number
  readonly kind: string
  readonly digest: string
  readonly hash: string
}

export interface LogWalkOptions {
  readonly baseline: Baseline | null
  /** Also measures the baseline at this revision. */
  readonly measureAt: number | null
}

/** Reads the log revision by revision and compares it with the replay. */
export async function walkLog(
  versions: readonly Version[],
  replay: Replay,
  { baseline, measureAt }: LogWalkOptions,
  stored: StoredHistory,
  report: ReportCorruption,
) {
  const oldest = baseline?.revision ?? 0
  const revisionOf = new Map(versions.map(({ number, revision }) => [number, revision]))
  const isCompacted = (version: number | null) => (revisionOf.get(version ?? -1) ?? Infinity) < oldest
  const state = new Map<EntryId, WalkedEntry>()
  const everSeen = new Set<EntryId>()
  const sum = new StateSum()
  const firstAt = new Map<number, number>([[0, 0]])
  const line = { link: CHAIN_START_DIGEST, rows: new StateSum(), entryCount: 0 }
  const lastBoundary = Math.max(oldest, measureAt ?? 0)
  let measured: Pick<MeasuredBaseline, 'transitionsDigest' | 'rows'> | null = null
  let isBaselineChecked = baseline === null
  const rows = stored.changes()[Symbol.asyncIterator]()
  let row = await rows.next()
  let head: Head = { revision: 0, version: 0 }
  let digest = CHAIN_START_DIGEST
  let changes = 0
  let lastTime = -Infinity
  for await (const transition of stored.transitions()) {
    const { revision, kind, from, to } = transition
    const where = `r${revision}`
    if (revision === baseline?.revision) {
      isBaselineChecked = true
      verifyBaseline(
        baseline,
        line,
        { entries: state.size, rows: changes, isState: sum.value === replay.sums.get(head.version) },
        report,
      )
    }
    if (revision === measureAt) measured = { transitionsDigest: line.link, rows: sumText(line.rows.value) }
    if (revision !== head.revision + 1) report('transition', where, `Follows revision ${head.revision}`)
    if (from !== head.version)
      report('transition', where, `Starts from version ${from}, but the head was ${head.version}`)
    digest = transitionDigest(digest, transition)
    if (digest !== transition.digest) {
      report('transition', where, 'Its digest does not follow from the previous transition and its row')
      digest = transition.digest
    }
    if (transition.createdAt.getTime() < lastTime) report('transition', where, 'Is older than the previous transition')
    lastTime = transition.createdAt.getTime()
    if (kind === 'CHANGESET' && firstAt.has(to))
      report('transition', where, `Makes version ${to}, which existed before`)
    if (kind === 'VERSION' && !firstAt.has(to))
      report('transition', where, `Applies version ${to}, which did not exist yet`)
    if (!firstAt.has(to)) firstAt.set(to, revision)

    const positions: number[] = []
    while (!row.done && row.value.row.revision <= revision) {
      const { row: change, metaIndex } = row.value
      const hash = change.content === null ? null : textHash(change.content)
      if (revision < oldest) verifyBaselineRow(change, metaIndex, report)
      else
        verifyRow(
          change,
          hash,
          metaIndex,
          transition,
          state,
          isCompacted(change.version) ? null : replay.written,
          report,
        )
      positions.push(change.position, ...(change.deletePosition === null ? [] : [change.deletePosition]))
      applyRow(change, hash, state, sum)
      if (revision < lastBoundary)
        line.rows.set(change.id, change.content === null ? undefined : { digest: rowDigest(change) })
      everSeen.add(change.id)
      changes++
      row = await rows.next()
    }
    line.link = revision < lastBoundary ? transitionLink(line.link, transition) : line.link
    line.entryCount = transition.entryCount
    head = { revision, version: to }
    if (revision < oldest) continue
    if (positions.length !== transition.changeCount || !isPermutation(positions))
      report('change', where, `Its ${transition.changeCount} changes are not complete, each at its own position`)
    if (transition.entryCount !== state.size)
      report('transition', where, `Has ${transition.entryCount} entries stored, but there are ${state.size}`)
    if (sum.value !== replay.sums.get(to))
      report('change', where, `The stored state is not the one that the changesets up to version ${to} lead to`)
  }
  if (!row.done) report('change', `r${row.value.row.revision}/${row.value.row.id}`, 'Belongs to no transition')
  if (!isBaselineChecked) report('baseline', 'baseline', `Is of revision ${oldest}, which does not exist`)
  for (const { number, revision } of versions) {
    if (firstAt.get(number) !== revision)
      report(
        'version',
        `v${number}`,
        `Is stored as first at revision ${revision}; by the log it is ${firstAt.get(number) ?? 'none'}`,
      )
  }
  return { state, everSeen, head, digest, changes, measured }
}

function verifyBaseline(
  baseline: Baseline,
  line: { readonly link: string; readonly rows: StateSum; readonly entryCount: number },
  found: { readonly entries: number; readonly rows: number; readonly isState: boolean },
  report: ReportCorruption,
): void {
  if (line.link !== baseline.transitionsDigest)
    report('baseline', 'baseline', 'The transitions below it are not those from which it was made')
  if (sumText(line.rows.value) !== baseline.rows)
    report('baseline', 'baseline', 'The entries it begins with are not those from which it was made')
  if (found.entries !== line.entryCount)
    report(
      'baseline',
      'baseline',
      `Begins with ${found.entries} entries; by its last transition there were ${line.entryCount}`,
    )
  if (!found.isState)
    report('baseline', 'baseline', 'The state it begins with does not have the stored sum of its version')
  if (baseline.removed && found.rows !== found.entries)
    report('baseline', 'baseline', `${found.rows - found.entries} changes below it should have been removed`)
}

/** For a row below the baseline, only the content matters. */
function verifyBaselineRow(row: ChangeRow, metaIndex: Json, report: ReportCorruption): void {
  if (row.content !== null) verifyContent('change', `r${row.revision}/${row.id}`, row.content, metaIndex, report)
}

function verifyRow(
  row: ChangeRow,
  hash: string | null,
  metaIndex: Json,
  transition: TransitionRow,
  state: ReadonlyMap<EntryId, WalkedEntry>,
  written: Replay['written'],
  report: ReportCorruption,
): void {
  const where = `r${row.revision}/${row.id}`
  const before = state.get(row.id)
  if (row.revision !== transition.revision) report('change', where, 'Belongs to no transition')
  const fits: (typeof ROW_FITS)[keyof typeof ROW_FITS] | undefined = ROW_FITS[row.operation]
  if (fits === undefined) return report('change', where, `There is no operation "${row.operation as string}"`)
  if (fits.before !== (before !== undefined)) report('change', where, `${row.operation} does not fit the state before`)
  if (row.previousRevision !== (before?.revision ?? null))
    report('change', where, `Has ${row.previousRevision} as previous revision; it is ${before?.revision ?? null}`)
  if (
    before !== undefined &&
    row.content !== null &&
    fits.sameKind !== null &&
    fits.sameKind !== (before.kind === row.content.kind)
  ) {
    report('change', where, `${row.operation} from kind ${before.kind} to ${row.content.kind}`)
  }
  if (fits.content !== (row.content !== null))
    report('change', where, `${row.operation} with${row.content === null ? 'out' : ''} content`)
  if (row.content === null) return
  if (transition.kind === 'CHANGESET' && row.version !== transition.to)
    report('change', where, `Has version ${row.version}; it is ${transition.to}`)
  verifyContent('change', where, row.content, metaIndex, report)
  if (written !== null && written.get(`${row.version}/${row.id}`) !== hash)
    report('change', where, `Is not what version ${row.version} wrote`)
}

const ROW_FITS = {
  create: { before: false, content: true, sameKind: null },
  update: { before: true, content: true, sameKind: true },
  delete: { before: true, content: false, sameKind: null },
  replace: { before: true, content: true, sameKind: false },
} as const

function applyRow(
  { id, revision, version, content }: ChangeRow,
  hash: string | null,
  state: Map<EntryId, WalkedEntry>,
  sum: StateSum,
): void {
  if (content === null || hash === null) {
    state.delete(id)
    sum.set(id, undefined)
    return
  }
  state.set(id, { revision, version: version ?? -1, kind: content.kind, digest: content.digest, hash })
  sum.set(id, { digest: content.digest })
}

function isPermutation(positions: readonly number[]): boolean {
  const seen = new Set(positions)
  return seen.size === positions.length && positions.every((position) => position >= 0 && position < positions.length)
}
