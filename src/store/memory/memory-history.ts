import { randomUUID } from 'node:crypto'
import { compileMatcher } from '../../core/criteria/matcher.js'
import { compareTargets, groupsOf, targetKey } from '../../core/dependency/reference.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import { type EntryId, namespaceOf } from '../../core/entry/entry-id.js'
import { compareText } from '../../core/entry/text.js'
import type { Problem } from '../../core/errors/problem.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { Change } from '../../core/history/change.js'
import { operationsBetween } from '../../core/history/delta.js'
import type { Tag } from '../../core/history/tag.js'
import type { History, HistoryOptions } from '../contract/history.js'
import {
  entryRevisionKey,
  type LogPosition,
  type Page,
  type PageOf,
  type ReadAt,
  type ReferenceRow,
} from '../contract/history-reader.js'
import type { CommitOutcome, CommitRequest } from '../contract/history-writer.js'
import { byPosition, entryOfRow } from '../planning/change-row.js'
import { CHAIN_START_DIGEST, rootDigest } from '../planning/changeset-codec.js'
import { type CommitState, emptyWrites, type Reply } from '../planning/commit-state.js'
import { logCompactedError, versionCompactedError, versionCompactedProblem } from '../planning/compacted-errors.js'
import { planChangeset, rootVersionRow } from '../planning/plan-changeset.js'
import { nothingToRevertProblem, planRevert } from '../planning/plan-revert.js'
import { movedTagSum, NO_TAGS, planTag, planTagRemoval } from '../planning/plan-tag.js'
import { planVersion, type VersionTarget } from '../planning/plan-version.js'
import { type PlannedOutcome, replayedOutcome } from '../planning/planned-outcome.js'
import { verifyHistory } from '../verify/verify-history.js'
import { COMPARE_ENTRIES } from './compare-entries.js'
import { MemoryCompaction } from './memory-compaction.js'
import { openMemoryExchange } from './memory-exchange.js'
import { openMemoryInstances, steadyClock } from './memory-instances.js'
import { openMemoryJournal } from './memory-journal.js'
import { MemoryLog } from './memory-log.js'
import { openMemorySourceRecords } from './memory-source-records.js'
import { memoryStoredHistory } from './memory-stored-history.js'
import { pageOf } from './page-of.js'

/** How long a `none` registry's followers may look away: that many revisions are kept for them, for nobody else. */
const FOLLOWED_REVISIONS = 1_000
/** By which an open transaction learns how it has ended: far more than are open at a time. */
const REMEMBERED_REQUESTS = 100_000

/**
 * A registry in the memory of this process, gone at exit. With `hasHistory: false` it is the backend
 * `none`: only the head's state can be read.
 */
export function openMemoryHistory(options: HistoryOptions, { hasHistory = true, clock = steadyClock } = {}): History {
  const registryId = randomUUID()
  const born = new Date()
  const log = new MemoryLog(rootVersionRow(born))
  const replies = new Map<string, Reply>()
  const listeners = new Set<() => void>()
  const exchange = openMemoryExchange()
  const requests = new Map<string, number>()
  const journal = openMemoryJournal((id) => requests.get(id) ?? null)
  const tags = new Map<string, Tag>()
  const { instances, use } = openMemoryInstances((id) => log.entry(id, 'head') !== null, clock)
  const sources = openMemorySourceRecords({
    revision: () => log.revision,
    isAtHead: (id) => log.entry(id, 'head') !== null,
    wasDeletedSince: (id, since) =>
      (log.rowsOf.get(id) ?? []).some(
        ({ revision, operation }) => revision > since && (operation === 'delete' || operation === 'replace'),
      ),
  })
  let tagSum = NO_TAGS

  const compaction = new MemoryCompaction(log, stored, lowestTag)
  const standing: CommitState = {
    head: { revision: 0, version: 0 },
    oldestRevision: 0,
    lastVersion: 0,
    versionDigest: rootDigest(born),
    transitionDigest: CHAIN_START_DIGEST,
    entryCount: 0,
    now: born,
    entries: new Map(),
    lastChanged: new Map(),
    replies,
    instances: use,
  }
  const versionRow = (number: number) => log.versions[number]
  const oldestLog = () => (hasHistory ? compaction.oldest : Math.max(0, log.revision - FOLLOWED_REVISIONS))

  function target(version: number): VersionTarget | { missing: Problem } {
    const row = versionRow(version)
    if (row === undefined) {
      return {
        missing: {
          code: 'VERSION_NOT_FOUND',
          message: `there is no version ${version}; the newest is ${standing.lastVersion}`,
        },
      }
    }
    if (!hasHistory && version !== standing.head.version) {
      const message = `version ${version} cannot be applied: this registry keeps no history (CADASTRE_STORE=none)`
      return { missing: { code: 'VERSION_NOT_FOUND', message } }
    }
    if (row.revision < compaction.oldest && version !== 0 && version !== standing.head.version) {
      return { missing: versionCompactedProblem(version, row.revision, compaction.oldest) }
    }
    const differences = [...log.rowsOf.keys()].flatMap((id) => {
      const before = log.entry(id, 'head')
      const after = log.entry(id, row.revision)
      return before?.content.digest === after?.content.digest ? [] : [{ id, before, after }]
    })
    return { version, digest: row.digest, differences }
  }

  function revertTarget(version: number) {
    const row = version === 0 ? undefined : versionRow(version)
    if (row === undefined) return { missing: nothingToRevertProblem(version, standing.lastVersion) }
    if (row.revision < compaction.oldest)
      return { missing: versionCompactedProblem(version, row.revision, compaction.oldest) }
    if (hasHistory) return { changes: log.changesAt(row.revision) }
    const message = `version ${version} cannot be reverted: this registry keeps no history (CADASTRE_STORE=none)`
    return { missing: { code: 'VERSION_NOT_FOUND', message } as const }
  }

  function plan(request: CommitRequest, now: Date): CommitOutcome {
    const writes = emptyWrites()
    const { action } = request
    const turn: CommitState = Object.assign(standing, { now, oldestRevision: compaction.oldest })
    const planned =
      action.type === 'changeset'
        ? planChangeset({ ...request, action }, turn, writes, options.references)
        : action.type === 'revert'
          ? planRevert({ ...request, action }, revertTarget(action.version), turn, writes, options.references)
          : planVersion({ ...request, action }, target(action.version), turn, writes, options.references)
    log.versions.push(...writes.versions)
    log.transitions.push(...writes.transitions)
    for (const { requestId, revision } of writes.transitions) requests.set(requestId, revision)
    if (requests.size > REMEMBERED_REQUESTS) requests.delete(requests.keys().next().value!)
    for (const row of writes.changes) log.append(row)
    if (!hasHistory && writes.transitions.length > 0) log.forgetBefore(log.revision - FOLLOWED_REVISIONS)
    return settled(planned)
  }

  function settled(planned: PlannedOutcome): CommitOutcome {
    if (planned.type !== 'replay') return planned
    const { revision } = planned.reply
    const isCompacted = revision !== null && revision < compaction.oldest
    return replayedOutcome(
      planned.reply,
      isCompacted ? null : revision === null ? [] : log.changesAt(revision),
      standing.head.revision,
    )
  }

  /** Only the state at the head has meaning where no history is kept, and none below what was compacted. */
  function at(readAt: ReadAt): ReadAt {
    if (hasHistory && readAt !== 'head') compaction.check(readAt)
    if (hasHistory || readAt === 'head' || readAt === standing.head.revision) return readAt
    return refuse(`revision ${readAt} cannot be read`)
  }

  function* find(criteria: Parameters<History['findEntries']>[0], readAt: ReadAt): Generator<EntryRevision> {
    const matches = compileMatcher(criteria, options.compileRegex)
    for (const entry of log.state(at(readAt))) if (matches(entry)) yield entry
  }

  function groupsAtHead(id: EntryId): readonly string[] {
    const entry = log.entry(id, 'head')
    return entry === null ? [] : groupsOf(entry.content)
  }

  function historyOf(id: EntryId): EntryRevision[] {
    const rows = hasHistory ? (log.rowsOf.get(id) ?? []) : [log.lastRow(id, 'head')].filter((row) => row !== undefined)
    return rows
      .map(entryOfRow)
      .filter((entry) => entry !== null)
      .reverse()
  }

  const read: Omit<
    History,
    'commit' | 'setTag' | 'deleteTag' | 'compact' | 'onAdvance' | 'verify' | 'isReady' | 'close'
  > = {
    backend: hasHistory ? 'memory' : 'none',
    journal,
    instances,
    sources,
    exchange,
    registryId,
    hasHistory,
    headReader: null,
    head: async () => standing.head,
    oldestRevision: async () => (hasHistory ? compaction.oldest : standing.head.revision),
    entryCount: async (readAt) => countAt(at(readAt)),
    revisionAtTime: async (time) => log.transitions.findLast(({ createdAt }) => createdAt <= time)?.revision ?? 0,

    entries: async (ids, readAt) => {
      const place = at(readAt)
      return mapOf(ids, (id) => log.entry(id, place))
    },
    entryRevisions: async (keys) =>
      new Map(
        keys.flatMap((key) => {
          const row = log.rowsOf.get(key.id)?.find(({ revision }) => revision === key.revision)
          const entry =
            row === undefined || !(hasHistory || row === log.lastRow(key.id, 'head')) ? null : entryOfRow(row)
          return entry === null ? [] : [[entryRevisionKey(key), entry] as const]
        }),
      ),
    findEntries: async (criteria, order, page, readAt) => {
      const compare = COMPARE_ENTRIES[order]
      const sorted = [...find(criteria, readAt)].sort(compare)
      return { ...pageOf(sorted, page, compare), revision: readAt === 'head' ? standing.head.revision : readAt }
    },
    countEntries: async (criteria, readAt) => [...find(criteria, readAt)].length,
    namespaces: async (readAt) => {
      const counts = new Map<string, number>()
      for (const { id } of log.state(at(readAt))) counts.set(namespaceOf(id), (counts.get(namespaceOf(id)) ?? 0) + 1)
      return [...counts].map(([name, entryCount]) => ({ name, entryCount })).sort((a, b) => compareText(a.name, b.name))
    },

    entryHistories: async (ids, page) => new Map(ids.map((id) => [id, descendingPage(historyOf(id), page)])),
    entryHistoryCounts: async (ids) => new Map(ids.map((id) => [id, historyOf(id).length])),

    versions: async (numbers) => mapOf(numbers, (number) => versionRow(number) ?? null),
    versionPage: async (page) => pageOf(log.versions, page, ({ number }, position) => number - position),
    versionCount: async () => log.versions.length,
    children: async (numbers) =>
      new Map(numbers.map((number) => [number, log.versions.filter(({ parent }) => parent === number)])),
    lineage: async (version) => {
      if (versionRow(version) === undefined) throw versionNotFound(version, standing.lastVersion)
      const lineage: number[] = []
      for (let at: number | null = version; at !== null; at = versionRow(at)!.parent) lineage.push(at)
      return lineage
    },

    transitions: async (revisions) => mapOf(revisions, (revision) => log.transitions[revision - 1] ?? null),
    transitionPage: async (page) => pageOf(log.transitions, page, ({ revision }, position) => revision - position),
    transitionCount: async () => log.transitions.length,

    changesOf: async (revisions, page) =>
      new Map(
        revisions
          .filter((revision) => revision >= compaction.oldest)
          .map((revision) => [
            revision,
            pageOf(log.changesAt(revision), page, (change, position) => change.position - position),
          ]),
      ),
    namespaceChanges: async (namespace, page) => {
      // The list descends, so its positions do too.
      return pageOf(changesIn(namespace), page, (change, position) => byPosition(position, change))
    },
    namespaceChangeCount: async (namespace) => changesIn(namespace).length,

    tags: async (names) => mapOf(names, (name) => tags.get(name) ?? null),
    tagPage: async (page) => pageOf(tagList(), page, ({ name }, position) => compareText(name, position)),
    tagCount: async () => tags.size,
    tagsOf: async (versions) =>
      new Map(versions.map((version) => [version, tagList().filter((tag) => tag.version === version)])),

    log: async (after, limit) => readLog(log, after, limit, standing.head, oldestLog()),
    delta: async (from, to) => {
      const [start, end] = [at(from), at(to)]
      return operationsBetween(
        [...log.rowsOf.keys()].map((id) => ({
          id,
          before: log.entry(id, start)?.content ?? null,
          after: log.entry(id, end)?.content ?? null,
        })),
        options.references,
      )
    },

    dependents: async (ids) => {
      const found = new Map<EntryId, ReferenceRow[]>(ids.map((id) => [id, []]))
      const groups = new Map(ids.map((id) => [id, groupsAtHead(id)]))
      for (const { id: source, content } of log.state('head')) {
        for (const reference of options.references(source, content)) {
          for (const id of ids) {
            if (refersTo(reference.target, id, groups.get(id)!, source)) found.get(id)!.push({ source, ...reference })
          }
        }
      }
      return found
    },
    referencesTo: async (targets, unchangedSince, limit) => {
      const wanted = new Set(targets.map(targetKey))
      const found: ReferenceRow[] = []
      for (const { id: source, content, revision } of log.state('head')) {
        if (revision > unchangedSince) continue
        for (const reference of options.references(source, content)) {
          if (reference.target.type !== 'nothing' && wanted.has(targetKey(reference.target)))
            found.push({ source, ...reference })
        }
      }
      // Stable: within a target they stay by source and place.
      return found.sort((a, b) => compareTargets(a.target, b.target)).slice(0, limit)
    },
    changedSince: async (revision, limit) => {
      compaction.check(revision)
      const ids = new Set<EntryId>()
      let changes = 0
      for (let after = revision + 1; after <= log.revision; after++) {
        for (const { id } of log.rowsAt.get(after) ?? []) {
          if (++changes > limit) return null
          ids.add(id)
        }
      }
      return [...ids]
    },
    entriesInGroups: async (names) =>
      new Map(
        names.map((group) => [
          group,
          [...log.state('head')].filter(({ content }) => groupsOf(content).includes(group)),
        ]),
      ),
    entriesInNamespaces: async (names) =>
      new Map(names.map((name) => [name, [...log.state('head')].filter(({ id }) => namespaceOf(id) === name)])),
  }

  function lowestTag() {
    const pinning = [...tags.values()]
      .map((tag) => ({ tag, version: versionRow(tag.version)! }))
      .filter(({ version }) => version.number > 0)
    return pinning.sort((a, b) => a.version.number - b.version.number || compareText(a.tag.name, b.tag.name))[0] ?? null
  }

  function tagList(): Tag[] {
    return [...tags.values()].sort((a, b) => compareText(a.name, b.name))
  }

  /** Newest first. Without history nothing older than the head's state is told. */
  function changesIn(namespace: string): Change[] {
    if (!hasHistory) return refuse('the history of a namespace cannot be read')
    return log.transitions
      .slice(Math.max(0, compaction.oldest - 1))
      .flatMap(({ revision }) => log.changesAt(revision).filter(({ id }) => namespaceOf(id) === namespace))
      .reverse()
  }

  function countAt(readAt: ReadAt): number {
    const revision = readAt === 'head' ? log.revision : readAt
    return revision === 0 ? 0 : log.transitions[revision - 1]!.entryCount
  }

  function stored() {
    return memoryStoredHistory(log, compaction, { ...standing, tagSum, oldestRevision: compaction.oldest }, [
      ...tags.values(),
    ])
  }

  return {
    ...read,
    commit: async (requests) => {
      const outcomes = requests.map((request) => {
        // A clock that went back must not put a transition before the one it follows.
        const now = new Date(Math.max(Date.now(), log.transitions.at(-1)?.createdAt.getTime() ?? 0))
        return plan(request, now)
      })
      for (const listener of listeners) listener()
      return outcomes
    },
    setTag: async (request) => {
      if (!hasHistory) return refuse('a version cannot be tagged')
      const version = versionRow(request.version)
      if (version === undefined) throw versionNotFound(request.version, standing.lastVersion)
      if (version.revision < compaction.oldest && version.number > 0)
        throw versionCompactedError(version.number, version.revision, compaction.oldest)
      const tag = planTag(request, tags.get(request.name), new Date())
      tagSum = movedTagSum(tagSum, tags.get(request.name), tag)
      tags.set(request.name, tag)
      return tag
    },
    deleteTag: async (name, force) => {
      const tag = planTagRemoval(name, tags.get(name), force)
      tagSum = movedTagSum(tagSum, tag, undefined)
      tags.delete(name)
      return tag
    },
    compact: async (request) => (hasHistory ? compaction.compact(request) : refuse('nothing can be compacted')),
    onAdvance: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    verify: async (progress) => (hasHistory ? verifyHistory(stored(), progress) : refuse('there is nothing to verify')),
    isReady: async () => true,
    async close() {
      listeners.clear()
      await exchange.close()
    },
  }
}
function refuse(what: string): never {
  throw new RegistryError('HISTORY_NOT_KEPT', `${what}: this registry keeps no history (CADASTRE_STORE=none)`)
}

function versionNotFound(version: number, newest: number): RegistryError {
  return new RegistryError('VERSION_NOT_FOUND', `there is no version ${version}; the newest is ${newest}`, { version })
}

function mapOf<Key, Value>(keys: readonly Key[], value: (key: Key) => Value | null): Map<Key, Value> {
  const found = new Map<Key, Value>()
  for (const key of keys) {
    const item = value(key)
    if (item !== null) found.set(key, item)
  }
  return found
}

/** A history descends, so its positions (revisions) do too. */
function descendingPage(items: readonly EntryRevision[], page: Page<number>): PageOf<EntryRevision> {
  return pageOf(items, page, ({ revision }, position) => position - revision)
}

function refersTo(target: ReferenceRow['target'], id: EntryId, groups: readonly string[], source: EntryId): boolean {
  switch (target.type) {
    case 'entry':
      return target.id === id
    case 'namespace':
      return target.namespace === namespaceOf(id) && source !== id
    case 'group':
      return groups.includes(target.group) && source !== id
    case 'nothing':
      return false
  }
}

function readLog(
  log: MemoryLog,
  after: LogPosition,
  limit: number,
  head: { revision: number; version: number },
  oldest: number,
) {
  if (after.revision < oldest) throw logCompactedError(after.revision, oldest)
  const transitions = []
  const changes = []
  let upTo: LogPosition = after
  const first = after.position === Infinity ? after.revision + 1 : Math.max(1, after.revision)
  for (let revision = first; revision <= head.revision; revision++) {
    transitions.push(log.transitions[revision - 1]!)
    const rest = log
      .changesAt(revision)
      .filter(({ position }) => revision > after.revision || position > after.position)
    const taken = rest.slice(0, limit - changes.length)
    changes.push(...taken)
    upTo = { revision, position: taken.length < rest.length ? (taken.at(-1)?.position ?? upTo.position) : Infinity }
    if (changes.length >= limit) break
  }
  return { transitions, changes, upTo, head }
}
