import { RegistryError } from '../../core/errors/registry-error.js'
import type { HistoryReader } from '../../store/contract/history-reader.js'
import { compactedError } from '../../store/planning/compacted-errors.js'
import { checkTagName } from '../writing/check-write.js'

/**
 * The revision a caller means: a version's is the first at which it was the head; a time's the last that was
 * not later. What is not there, or no longer, is an error: never the nearest that is.
 */
export async function resolveRevision(history: HistoryReader, at: At): Promise<number> {
  if ('version' in at) return readable(history, await revisionOfVersion(history, at.version))
  if ('tag' in at) return readable(history, await revisionOfVersion(history, await taggedVersion(history, at.tag)))
  if ('revision' in at) return readable(history, await knownRevision(history, at.revision))
  if (Number.isNaN(at.time.getTime()))
    throw new RegistryError('BAD_USER_INPUT', 'this is no time; send RFC 3339, e.g. 2026-01-31T12:00:00Z')
  return readable(history, await history.revisionAtTime(at.time))
}

async function taggedVersion(history: HistoryReader, name: string): Promise<number> {
  checkTagName(name)
  const tag = (await history.tags([name])).get(name)
  if (tag === undefined)
    throw new RegistryError('TAG_NOT_FOUND', `there is no tag ${name}; \`tags\` lists those there are`, { tag: name })
  return tag.version
}

async function revisionOfVersion(history: HistoryReader, number: number): Promise<number> {
  const version = number < 0 ? undefined : (await history.versions([number])).get(number)
  if (version !== undefined) return version.revision
  throw new RegistryError('VERSION_NOT_FOUND', `there is no version ${number}; \`versions\` lists those there are`, {
    version: number,
  })
}

async function knownRevision(history: HistoryReader, revision: number): Promise<number> {
  const head = await history.head()
  if (revision >= 0 && revision <= head.revision) return revision
  const message = `there is no revision ${revision}; the registry is at revision ${head.revision}`
  throw new RegistryError('REVISION_NOT_FOUND', message, { revision, headRevision: head.revision })
}

async function readable(history: HistoryReader, revision: number): Promise<number> {
  const oldest = await history.oldestRevision()
  if (revision >= oldest) return revision
  if (!history.hasHistory) {
    const message = `revision ${revision} cannot be read: this registry keeps no history (CADASTRE_STORE=none), only its state at revision ${oldest}`
    throw new RegistryError('HISTORY_NOT_KEPT', message, { oldestRevision: oldest })
  }
  throw compactedError(revision, oldest)
}

/** Where a caller wants to read; exactly one is given. */
export type At =
  | { readonly version: number }
  | { readonly revision: number }
  | { readonly time: Date }
  | { readonly tag: string }
