import { compareTargets, type ExtractReferences, groupsOf, targetKey } from '../../core/dependency/reference.js'
import type { EntryRevision } from '../../core/entry/entry.js'
import { compareEntryIds, type EntryId, namespaceOf } from '../../core/entry/entry-id.js'
import { compareText } from '../../core/entry/text.js'
import { inSlices, pauseIfDue } from '../coalescing/time-slices.js'
import type { ForwardPage, HistoryReader, PageOf, ReferencePosition, ReferenceRow } from '../contract/history-reader.js'
import type { MemoryLog } from './memory-log.js'
import { pageOf } from './page-of.js'

const FORWARD = { before: null, fromEnd: false } as const

type ReferenceReads = Pick<HistoryReader, 'dependents' | 'referencesTo' | 'entriesInGroups' | 'entriesInNamespaces'>

/** Reads which entries refer to which at the head, by extracting the references of every entry. */
export function readMemoryReferences(log: MemoryLog, references: ExtractReferences): ReferenceReads {
  function members(page: ForwardPage<EntryId>, isMember: (entry: EntryRevision) => boolean): PageOf<EntryRevision> {
    const entries = [...log.state('head')].filter(isMember)
    return pageOf(entries, { ...page, ...FORWARD }, ({ id }, after) => compareEntryIds(id, after))
  }

  return {
    dependents: async (ids, page) => {
      const found = new Map<EntryId, ReferenceRow[]>(ids.map((id) => [id, []]))
      const groups = new Map(ids.map((id) => [id, groupsAtHead(log, id)]))
      for (const { id: source, content } of [...log.state('head')]) {
        const pause = pauseIfDue()
        if (pause !== undefined) await pause
        for (const reference of await inSlices(references.inSteps(source, content))) {
          for (const id of ids) {
            if (refersTo(reference.target, id, groups.get(id)!, source)) found.get(id)!.push({ source, ...reference })
          }
        }
      }
      return new Map(
        [...found].map(([id, rows]) => [id, pageOf(rows, { ...page, ...FORWARD }, compareReferencePositions)]),
      )
    },
    referencesTo: async (targets, unchangedSince, limit) => {
      const wanted = new Set(targets.map(targetKey))
      const found: ReferenceRow[] = []
      for (const { id: source, content, revision } of [...log.state('head')]) {
        if (revision > unchangedSince) continue
        const pause = pauseIfDue()
        if (pause !== undefined) await pause
        for (const reference of await inSlices(references.inSteps(source, content))) {
          if (reference.target.type !== 'nothing' && wanted.has(targetKey(reference.target)))
            found.push({ source, ...reference })
        }
      }
      // The sort is stable: within a target they stay ordered by source and place.
      return found.sort((a, b) => compareTargets(a.target, b.target)).slice(0, limit)
    },
    entriesInGroups: async (names, page) =>
      new Map(names.map((group) => [group, members(page, ({ content }) => groupsOf(content).includes(group))])),
    entriesInNamespaces: async (names, page) =>
      new Map(names.map((name) => [name, members(page, ({ id }) => namespaceOf(id) === name)])),
  }
}

function compareReferencePositions(row: ReferenceRow, { source, path }: ReferencePosition): number {
  return compareEntryIds(row.source, source) || compareText(row.path, path)
}

function groupsAtHead(log: MemoryLog, id: EntryId): readonly string[] {
  const entry = log.entry(id, 'head')
  return entry === null ? [] : groupsOf(entry.content)
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
