import { compareText } from '../../core/entry/text.js'
import type { Tag } from '../../core/history/tag.js'
import type { TagRequest } from '../contract/history.js'
import type { HistoryReader } from '../contract/history-reader.js'
import type { CompactionState } from '../planning/plan-compaction.js'
import { movedTagSum, NO_TAGS, planTag, planTagRemoval } from '../planning/plan-tag.js'
import { mapOf } from './map-of.js'
import { pageOf } from './page-of.js'

type TagReads = Pick<HistoryReader, 'tags' | 'tagPage' | 'tagCount' | 'tagsOf'>

/** The tags of a registry in memory, and the sum of their digests. */
export class MemoryTags {
  readonly #tags = new Map<string, Tag>()
  #sum = NO_TAGS

  get sum(): string {
    return this.#sum
  }

  set(request: TagRequest): Tag {
    const current = this.#tags.get(request.name)
    const tag = planTag(request, current, new Date())
    this.#sum = movedTagSum(this.#sum, current, tag)
    this.#tags.set(request.name, tag)
    return tag
  }

  delete(name: string, force: boolean): Tag {
    const tag = planTagRemoval(name, this.#tags.get(name), force)
    this.#sum = movedTagSum(this.#sum, tag, undefined)
    this.#tags.delete(name)
    return tag
  }

  /** All tags by name. */
  list(): Tag[] {
    return [...this.#tags.values()].sort((a, b) => compareText(a.name, b.name))
  }

  /** The tag that names the lowest version above v0. Compaction may not remove that version. */
  lowest(
    versionRow: (number: number) => { readonly number: number; readonly revision: number },
  ): CompactionState['lowestTag'] {
    const tagged = this.list()
      .map((tag) => ({ tag, version: versionRow(tag.version) }))
      .filter(({ version }) => version.number > 0)
    return tagged.sort((a, b) => a.version.number - b.version.number)[0] ?? null
  }

  get reads(): TagReads {
    return {
      tags: async (names) => mapOf(names, (name) => this.#tags.get(name) ?? null),
      tagPage: async (page) => pageOf(this.list(), page, ({ name }, position) => compareText(name, position)),
      tagCount: async () => this.#tags.size,
      tagsOf: async (versions) =>
        new Map(versions.map((version) => [version, this.list().filter((tag) => tag.version === version)])),
    }
  }
}
