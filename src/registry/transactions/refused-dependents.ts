import { forEachInSteps, type Steps } from '../../core/algorithms/steps.js'
import { type ExtractReferences, groupsOf } from '../../core/dependency/reference.js'
import type { SealedContent } from '../../core/entry/entry.js'
import { type EntryId, namespaceOf } from '../../core/entry/entry-id.js'
import type { Operation } from '../../core/ordering/operation.js'

/**
 * Tracks the operations that are not offered once another one is refused. Their entry refers to a refused one or is
 * referred to by it, directly or through others. All remaining operations are still offered, so that one answer reports
 * all rejections.
 */
export class RefusedDependents {
  readonly #ids = new Set<EntryId>()
  readonly #namespaces = new Set<string>()
  readonly #groups = new Set<string>()
  readonly #targetIds = new Set<EntryId>()
  readonly #targetNamespaces = new Set<string>()
  readonly #targetGroups = new Set<string>()

  constructor(private readonly references: ExtractReferences) {}

  /** Whether any operation was refused. */
  get isAny(): boolean {
    return this.#ids.size > 0
  }

  *add(operation: Operation): Steps<void> {
    this.#ids.add(operation.id)
    this.#namespaces.add(namespaceOf(operation.id))
    const content = contentOf(operation)
    for (const group of groupsOf(content)) this.#groups.add(group)
    yield* forEachInSteps(yield* this.references.targets(operation.id, content), (target) => {
      if (target.type === 'entry') this.#targetIds.add(target.id)
      else if (target.type === 'namespace') this.#targetNamespaces.add(target.namespace)
      else if (target.type === 'group') this.#targetGroups.add(target.group)
    })
  }

  /** Whether an operation depends on a refused one, or the other way round. If so, it counts as refused itself. */
  *absorbs(operation: Operation): Steps<boolean> {
    const linked = yield* this.#isLinked(operation)
    if (linked) yield* this.add(operation)
    return linked
  }

  *#isLinked(operation: Operation): Steps<boolean> {
    const { id } = operation
    if (this.#ids.size === 0) return false
    if (this.#ids.has(id) || this.#targetIds.has(id) || this.#targetNamespaces.has(namespaceOf(id))) return true
    const content = contentOf(operation)
    if (this.#targetGroups.size > 0 && groupsOf(content).some((group) => this.#targetGroups.has(group))) return true
    return (yield* this.references.targets(id, content)).some(
      (target) =>
        (target.type === 'entry' && this.#ids.has(target.id)) ||
        (target.type === 'namespace' && this.#namespaces.has(target.namespace)) ||
        (target.type === 'group' && this.#groups.has(target.group)),
    )
  }
}

function contentOf({ content, original }: Operation): SealedContent {
  return (content ?? original)!
}
