import { RegistryError } from '../../core/errors/registry-error.js'
import type { Tag } from '../../core/history/tag.js'
import type { Version } from '../../core/history/version.js'
import type { CompactRequest } from '../contract/history.js'

/** What decides whether history may be compacted. */
export interface CompactionState {
  readonly headRevision: number
  readonly oldestRevision: number
  /** The tag on the lowest version; one on v0 pins nothing, since the empty registry needs no keeping. */
  readonly lowestTag: { readonly tag: Pick<Tag, 'name'>; readonly version: Pick<Version, 'number' | 'revision'> } | null
}

/**
 * Whether there is anything to be done.
 * @throws RegistryError BAD_USER_INPUT, REVISION_NOT_FOUND, PINNED_BY_TAG
 */
export function planCompaction(
  { before }: Pick<CompactRequest, 'before'>,
  { headRevision, oldestRevision, lowestTag }: CompactionState,
): boolean {
  if (!Number.isSafeInteger(before) || before < 0) {
    throw new RegistryError(
      'BAD_USER_INPUT',
      `before is ${before}: give the revision from which on everything is to be kept`,
    )
  }
  if (before > headRevision) {
    const message = `there is no revision ${before}; the registry is at revision ${headRevision}, and its state is always kept`
    throw new RegistryError('REVISION_NOT_FOUND', message, { revision: before, headRevision })
  }
  if (before <= oldestRevision) return false
  if (lowestTag !== null && lowestTag.version.revision < before) {
    const {
      tag: { name },
      version: { number, revision },
    } = lowestTag
    const message = `the tag ${name} pins version ${number}, of revision ${revision}: compact before ${revision} at most, or take the tag away`
    throw new RegistryError('PINNED_BY_TAG', message, { tag: name, version: number, revision })
  }
  return true
}

export function historyDamagedError(count: number, first: string): RegistryError {
  const found = count === 1 ? 'one thing is' : `${count} things are`
  const message = `nothing was compacted: ${found} not as written, the first: ${first}. \`cadastre verify\` tells of all; compacting would bury them`
  return new RegistryError('HISTORY_DAMAGED', message, { corruptions: count })
}
