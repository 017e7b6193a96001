import { RegistryError } from '../../core/errors/registry-error.js'
import type { Tag } from '../../core/history/tag.js'
import type { Version } from '../../core/history/version.js'
import type { CompactRequest } from '../contract/history.js'

/** The state that decides whether history can be compacted. */
export interface CompactionState {
  readonly headRevision: number
  readonly oldestRevision: number
  /** The tag on the lowest version. A tag on v0 pins nothing, because the empty registry can always be read. */
  readonly lowestTag: { readonly tag: Pick<Tag, 'name'>; readonly version: Pick<Version, 'number' | 'revision'> } | null
}

/**
 * Checks a compaction.
 * @returns whether there is anything to compact
 * @throws RegistryError BAD_USER_INPUT, REVISION_NOT_FOUND, PINNED_BY_TAG
 */
export function planCompaction(
  { before }: Pick<CompactRequest, 'before'>,
  { headRevision, oldestRevision, lowestTag }: CompactionState,
): boolean {
  if (!Number.isSafeInteger(before) || before < 0) {
    throw new RegistryError('BAD_USER_INPUT', `before is ${before}. It must be the first revision to retain.`)
  }
  if (before > headRevision) {
    const message = `There is no revision ${before}. The registry is at revision ${headRevision}, whose state is always retained.`
    throw new RegistryError('REVISION_NOT_FOUND', message, { revision: before, headRevision })
  }
  if (before <= oldestRevision) return false
  if (lowestTag !== null && lowestTag.version.revision < before) {
    const {
      tag: { name },
      version: { number, revision },
    } = lowestTag
    const message = `The tag ${name} pins version ${number}, of revision ${revision}. Compact before ${revision} at most, or delete the tag.`
    throw new RegistryError('PINNED_BY_TAG', message, { tag: name, version: number, revision })
  }
  return true
}

export function historyDamagedError(count: number, first: string): RegistryError {
  const found = count === 1 ? 'one row is' : `${count} rows are`
  const message = `Nothing was compacted: ${found} not as written, first ${first}. \`cadastre verify\` lists them all; compacting would hide them.`
  return new RegistryError('HISTORY_DAMAGED', message, { corruptions: count })
}
