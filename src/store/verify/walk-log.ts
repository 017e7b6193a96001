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

/** What is remembered of an entry as it stands: not its texts, of which there may be gigabytes. */
export interface WalkedEntry {
  readonly revision: number
  readonly version: number
  readonly kind: string
  readonly digest: string
  readonly hash: string
}

export interface LogWalkOptions {
  readonly baseline: Baseline | null
  /** Also measure what a baseline at this revision would be. */
  readonly measureAt: number | null
}

/** Walks the log along the revisions and holds it against the replay. */
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
    if (revision !== head.revision + 1) report('transition', where, `follows revision ${head.revision}`)
    if (from !== head.version)
      report('transition', where, `starts from version ${from}, but the head was ${head.version}`)
    digest = transitionDigest(digest, transition)
    if (digest !== transition.digest) {
      report('transition', where, 'the digest does not follow from the transition before and its row')
      digest = transition.digest
    }
    if (transition.createdAt.getTime() < lastTime) report('transition', where, 'is older than the transition before it')
    lastTime = transition.createdAt.getTime()
    if (kind === 'CHANGESET' && firstAt.has(to))
      report('transition', where, `makes version ${to}, which was there before`)
    if (kind === 'VERSION' && !firstAt.has(to))
      report('transition', where, `applies version ${to}, which was not there yet`)
    if (!firstAt.has(to)) firstAt.set(to, revision)

    const places: number[] = []
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
      places.push(change.position, ...(change.deletePosition === null ? [] : [change.deletePosition]))
      take(change, hash, state, sum)
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
    if (places.length !== transition.changeCount || !isPermutation(places))
      report('change', where, `its ${transition.changeCount} changes are not all there, each at its place`)
    if (transition.entryCount !== state.size)
      report('transition', where, `says ${transition.entryCount} entries, but there are ${state.size}`)
    if (sum.value !== replay.sums.get(to))
      report('change', where, `the stored state is not what the changesets up to version ${to} lead to`)
  }
  if (!row.done) report('change', `r${row.value.row.revision}/${row.value.row.id}`, 'belongs to no transition')
  if (!isBaselineChecked) report('baseline', 'baseline', `is of revision ${oldest}, which is not there`)
  for (const { number, revision } of versions) {
    if (firstAt.get(number) !== revision)
      report(
        'version',
        `v${number}`,
        `is stored as first at revision ${revision}, by the log it is ${firstAt.get(number) ?? 'at none'}`,
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
    report('baseline', 'baseline', 'the transitions below it are not those that it was made of')
  if (sumText(line.rows.value) !== baseline.rows)
    report('baseline', 'baseline', 'the entries it begins with are not those that it was made of')
  if (found.entries !== line.entryCount)
    report(
      'baseline',
      'baseline',
      `begins with ${found.entries} entries, by its last transition there were ${line.entryCount}`,
    )
  if (!found.isState)
    report('baseline', 'baseline', 'the state it begins with does not have the sum that was kept of its version')
  if (baseline.removed && found.rows !== found.entries)
    report('baseline', 'baseline', `${found.rows - found.entries} changes below it should have been removed`)
}

/** A row below the baseline stands for nothing but the content it holds. */
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
  if (row.revision !== transition.revision) report('change', where, 'belongs to no transition')
  const fits: (typeof ROW_FITS)[keyof typeof ROW_FITS] | undefined = ROW_FITS[row.operation]
  if (fits === undefined) return report('change', where, `there is no operation "${row.operation as string}"`)
  if (fits.before !== (before !== undefined)) report('change', where, `${row.operation} does not fit the state before`)
  if (row.previousRevision !== (before?.revision ?? null))
    report(
      'change',
      where,
      `names revision ${row.previousRevision} as the one before, it is ${before?.revision ?? null}`,
    )
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
    report('change', where, `says version ${row.version}, it is ${transition.to}`)
  verifyContent('change', where, row.content, metaIndex, report)
  if (written !== null && written.get(`${row.version}/${row.id}`) !== hash)
    report('change', where, `is not what version ${row.version} wrote`)
}

const ROW_FITS = {
  create: { before: false, content: true, sameKind: null },
  update: { before: true, content: true, sameKind: true },
  delete: { before: true, content: false, sameKind: null },
  replace: { before: true, content: true, sameKind: false },
} as const

function take(
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

function isPermutation(places: readonly number[]): boolean {
  const seen = new Set(places)
  return seen.size === places.length && places.every((place) => place >= 0 && place < places.length)
}
