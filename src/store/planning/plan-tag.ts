import { createHash } from 'node:crypto'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { Tag } from '../../core/history/tag.js'
import type { TagRequest } from '../contract/history.js'

/** Of no tags at all. */
export const NO_TAGS = '0'.repeat(64)
const MODULUS = 1n << 256n

/**
 * What the tag is to be, `standing` itself where nothing is to be done: so the same request may be sent twice.
 * @throws RegistryError TAG_NOT_FOUND, TAG_MOVED, TAG_FIXED
 */
export function planTag(
  { name, version, movable, expectedVersion, author }: TagRequest,
  standing: Tag | undefined,
  now: Date,
): Tag {
  if (standing === undefined) {
    if (expectedVersion !== null) throw tagNotFound(name)
    return { name, version, movable: movable ?? false, createdAt: now, author }
  }
  const wanted = movable ?? standing.movable
  if (standing.version === version && standing.movable === wanted) return standing
  if (!standing.movable) throw fixed(standing, 'take it away by force and set it anew, or use another name')
  if (expectedVersion !== null && expectedVersion !== standing.version) {
    const message = `the tag ${name} stands on version ${standing.version}, not ${expectedVersion}; look at what has changed and send it anew`
    throw new RegistryError('TAG_MOVED', message, { tag: name, version: standing.version })
  }
  return { name, version, movable: wanted, createdAt: now, author }
}

/** The tag that may be taken away. @throws RegistryError TAG_NOT_FOUND, TAG_FIXED */
export function planTagRemoval(name: string, standing: Tag | undefined, force: boolean): Tag {
  if (standing === undefined) throw tagNotFound(name)
  if (!standing.movable && !force) throw fixed(standing, 'force takes it away')
  return standing
}

export function tagNotFound(name: string): RegistryError {
  return new RegistryError('TAG_NOT_FOUND', `there is no tag ${name}; \`tags\` lists those there are`, { tag: name })
}

function fixed({ name, version }: Tag, remedy: string): RegistryError {
  return new RegistryError('TAG_FIXED', `the tag ${name} is fixed on version ${version}: ${remedy}`, {
    tag: name,
    version,
  })
}

/** Of all that a tag says, so that a change to any of it shows. */
export function tagDigest({ name, version, movable, createdAt, author }: Tag): string {
  return createHash('sha256')
    .update(JSON.stringify([name, version, movable, createdAt.getTime(), author]))
    .digest('hex')
}

/** The sum of all tags' digests, moved on: so that one that is gone shows too, at a cost that does not grow with them. */
export function movedTagSum(sum: string, before: Tag | undefined, after: Tag | undefined): string {
  const amount = (tag: Tag | undefined) => (tag === undefined ? 0n : BigInt(`0x${tagDigest(tag)}`))
  const moved = (BigInt(`0x${sum}`) - amount(before) + amount(after) + MODULUS) % MODULUS
  return moved.toString(16).padStart(64, '0')
}
