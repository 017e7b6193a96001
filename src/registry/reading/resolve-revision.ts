import { RegistryError } from '../../core/errors/registry-error.js'
import { knownRevision } from '../../core/history/version.js'
import type { HistoryReader } from '../../store/contract/history-reader.js'
import { compactedError, historyMissingError } from '../../store/planning/compacted-errors.js'
import { checkTagName } from '../writing/check-write.js'

/**
 * Resolves the version, revision, time or tag that a caller reads at to a revision. A version resolves to the first
 * revision at which it was the head. A time resolves to the last revision that is not later. A missing or removed
 * revision is an error and is never replaced by the nearest one.
 * @throws RegistryError VERSION_NOT_FOUND, REVISION_NOT_FOUND, TAG_NOT_FOUND, COMPACTED, HISTORY_NOT_KEPT, BAD_USER_INPUT
 */
export async function resolveRevision(history: HistoryReader, at: At): Promise<number> {
  if ('version' in at) return readable(history, await revisionOfVersion(history, at.version))
  if ('tag' in at) return readable(history, await revisionOfVersion(history, await taggedVersion(history, at.tag)))
  if ('revision' in at) return readable(history, knownRevision(at.revision, await history.head()))
  if (Number.isNaN(at.time.getTime()))
    throw new RegistryError('BAD_USER_INPUT', 'This is not a time. Send RFC 3339, e.g. 2026-01-31T12:00:00Z.')
  return readable(history, await history.revisionAtTime(at.time))
}

async function taggedVersion(history: HistoryReader, name: string): Promise<number> {
  checkTagName(name)
  const tag = (await history.tags([name])).get(name)
  if (tag === undefined)
    throw new RegistryError('TAG_NOT_FOUND', `There is no tag ${name}. \`tags\` lists all tags.`, { tag: name })
  return tag.version
}

async function revisionOfVersion(history: HistoryReader, number: number): Promise<number> {
  const version = number < 0 ? undefined : (await history.versions([number])).get(number)
  if (version !== undefined) return version.revision
  throw new RegistryError('VERSION_NOT_FOUND', `There is no version ${number}. \`versions\` lists all versions.`, {
    version: number,
  })
}

async function readable(history: HistoryReader, revision: number): Promise<number> {
  const oldest = await history.oldestRevision()
  if (revision >= oldest) return revision
  if (!history.hasHistory) throw historyMissingError(`Revision ${revision} cannot be read`, oldest)
  throw compactedError(revision, oldest)
}

/** The place in the history at which a caller reads. Exactly one field is set. */
export type At =
  | { readonly version: number }
  | { readonly revision: number }
  | { readonly time: Date }
  | { readonly tag: string }
