import type { Closable } from '../../store/contract/provider.js'
import { ProviderError } from './provider-error.js'

/** The open objects that one provider created, each until its `close` has settled. */
export class CreatedObjects {
  readonly #open = new Set<Closable>()

  /** @param everMade - the objects that any provider has created */
  constructor(private readonly everMade: WeakSet<Closable>) {}

  get size(): number {
    return this.#open.size
  }

  list(): Closable[] {
    return [...this.#open]
  }

  /**
   * Counts an object until it is closed.
   * @param label - names the provider in errors
   * @throws ProviderError PROVIDER_FAILED if its `close` cannot be counted
   */
  add(label: string, thing: Closable): void {
    if (typeof thing?.close !== 'function')
      throw new ProviderError('PROVIDER_FAILED', `The ${label} created an object without a "close" function`)
    if (this.everMade.has(thing))
      throw new ProviderError(
        'PROVIDER_FAILED',
        `The ${label} created the same object twice, so its "close" cannot be counted`,
      )
    const close = thing.close
    let closing: Promise<void> | undefined
    const counted = () =>
      (closing ??= Promise.resolve()
        .then(() => close.call(thing))
        .finally(() => this.#open.delete(thing)))
    // Defined on the object itself, because a proxy or a subclass could not access its private fields.
    if (
      !Reflect.defineProperty(thing, 'close', { value: counted, enumerable: true, configurable: true, writable: true })
    ) {
      throw new ProviderError(
        'PROVIDER_FAILED',
        `The ${label} created a frozen object, so its "close" cannot be counted`,
      )
    }
    this.everMade.add(thing)
    this.#open.add(thing)
  }
}
