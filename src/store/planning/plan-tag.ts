import { createHash } from 'node:crypto'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { Tag } from '../../core/history/tag.js'
import type { TagRequest } from '../contract/history.js'

/** The tag sum of a registry without tags. */
export const NO_TAGS = '0'.repeat(64)
const MODULUS = 1n << 256n

/**
 * Plans the new state of a tag. Returns `current` itself if nothing changes, so that the same request can be sent twice.
 * @throws RegistryError TAG_NOT_FOUND, TAG_MOVED, TAG_FIXED
 */
export function planTag(
  { name, version, movable, expectedVersion, author }: TagRequest,
  current: Tag | undefined,
  now: Date,
): Tag {
  if (current === undefined) {
    if (expectedVersion !== null) throw tagNotFound(name)
    return { name, version, movable: movable ?? false, createdAt: now, author }
  }
  const wanted = movable ?? current.movable
  if (current.version === version && current.movable === wanted) return current
  if (!current.movable) throw fixed(current, 'Delete it with force and set it again, or use another name.')
  if (expectedVersion !== null && expectedVersion !== current.version) {
    const message = `The tag ${name} is on version ${current.version}, not ${expectedVersion}. Check what has changed and send it again.`
    throw new RegistryError('TAG_MOVED', message, { tag: name, version: current.version })
  }
  return { name, version, movable: wanted, createdAt: now, author }
}

/** Checks that a tag can be deleted, and returns it. @throws RegistryError TAG_NOT_FOUND, TAG_FIXED */
export function planTagRemoval(name: string, current: Tag | undefined, force: boolean): Tag {
  if (current === undefined) throw tagNotFound(name)
  if (!current.movable && !force) throw fixed(current, 'Delete it with force.')
  return current
}

function tagNotFound(name: string): RegistryError {
  return new RegistryError('TAG_NOT_FOUND', `There is no tag ${name}. \`tags\` lists all tags.`, { tag: name })
}

function fixed({ name, version }: Tag, remedy: string): RegistryError {
  return new RegistryError('TAG_FIXED', `The tag ${name} is fixed on version ${version}. ${remedy}`, {
    tag: name,
    version,
  })
}

/** The digest of all fields of a tag, so that a change to any of them is detected. */
export function tagDigest({ name, version, movable, createdAt, author }: Tag): string {
  return createHash('sha256')
    .update(JSON.stringify([name, version, movable, createdAt.getTime(), author]))
    .digest('hex')
}

/**
 * Updates the sum of all tags' digests. The sum reveals a missing tag, at a cost that is independent of their number.
 */
export function movedTagSum(sum: string, before: Tag | undefined, after: Tag | undefined): string {
  const amount = (tag: Tag | undefined) => (tag === undefined ? 0n : BigInt(`0x${tagDigest(tag)}`))
  const moved = (BigInt(`0x${sum}`) - amount(before) + amount(after) + MODULUS) % MODULUS
  return moved.toString(16).padStart(64, '0')
}
