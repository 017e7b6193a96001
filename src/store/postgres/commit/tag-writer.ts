import { eq, sql } from 'drizzle-orm'
import { RegistryError } from '../../../core/errors/registry-error.js'
import type { Tag } from '../../../core/history/tag.js'
import type { Version } from '../../../core/history/version.js'
import type { HistoryTagger } from '../../contract/history.js'
import { versionCompactedError } from '../../planning/compacted-errors.js'
import { movedTagSum, planTag, planTagRemoval, tagDigest } from '../../planning/plan-tag.js'
import type { DrizzleClient } from '../base/drizzle-client.js'
import { headPointer, tag, version } from '../base/tables.js'
import type { HistoryRows } from '../read/immutable-rows.js'
import { TAG_COLUMNS } from '../read/read-tags.js'
import { READ_VERSION_COLUMNS } from '../read/read-versions.js'

/** A gateway that stops responding while it changes a tag loses the writers' lock after 10 seconds. */
const RELEASE_LOCK = sql`SET LOCAL idle_in_transaction_session_timeout = 10000`
const NOW = sql`date_trunc('milliseconds', clock_timestamp())`.mapWith(headPointer.movedAt)

interface TagState {
  readonly current: Tag | undefined
  readonly now: Date
  /** The version of the tag. Undefined if there is no such version. */
  readonly target: Version | undefined
  readonly oldestRevision: number
}

/** Sets and deletes tags. Each change holds the writers' lock for three round trips. */
export function tagWriter(client: DrizzleClient, { versions }: HistoryRows): HistoryTagger {
  /** Reads a tag under the lock, and writes the result of `plan`. Undefined deletes the tag. */
  function change(name: string, to: number | null, plan: (state: TagState) => Tag | undefined): Promise<void> {
    return client.run((pool) =>
      pool.transaction(
        async (database) => {
          await database.execute(RELEASE_LOCK)
          const [pointer] = await database
            .select({ tagSum: headPointer.tagSum, oldestRevision: headPointer.oldestRevision, now: NOW })
            .from(headPointer)
            .for('update')
          const [[current], [target]] = await Promise.all([
            database.select(TAG_COLUMNS).from(tag).where(eq(tag.name, name)),
            to === null ? [] : database.select(READ_VERSION_COLUMNS).from(version).where(eq(version.number, to)),
          ])
          const { tagSum, oldestRevision, now } = pointer!
          const planned = plan({ current, now, target, oldestRevision })
          if (planned === current) return
          const write =
            planned === undefined
              ? database.delete(tag).where(eq(tag.name, name))
              : database
                  .insert(tag)
                  .values({ ...planned, digest: tagDigest(planned) })
                  .onConflictDoUpdate({ target: tag.name, set: { ...planned, digest: tagDigest(planned) } })
          await Promise.all([
            write,
            database.update(headPointer).set({ tagSum: movedTagSum(tagSum, current, planned) }),
          ])
        },
        { isolationLevel: 'read committed', accessMode: 'read write' },
      ),
    )
  }

  return {
    async setTag(request) {
      let set: { readonly tag: Tag; readonly target: Version } | undefined
      await change(request.name, request.version, ({ current, now, target, oldestRevision }) => {
        if (target === undefined) throw versionNotFound(request.version)
        if (target.revision < oldestRevision && request.version > 0)
          throw versionCompactedError(request.version, target.revision, oldestRevision)
        set = { tag: planTag(request, current, now), target }
        return set.tag
      })
      // Answers read the version next.
      versions.add(set!.target.number, set!.target)
      return set!.tag
    },

    async deleteTag(name, force) {
      // If the connection broke after the commit, the second try finds that the first one has deleted the tag.
      let removed: Tag | undefined
      await change(name, null, ({ current }) => {
        if (current === undefined && removed !== undefined) return undefined
        removed = planTagRemoval(name, current, force)
        return undefined
      })
      return removed!
    },
  }
}

function versionNotFound(number: number): RegistryError {
  return new RegistryError('VERSION_NOT_FOUND', `There is no version ${number}. \`versions\` lists all versions.`, {
    version: number,
  })
}
