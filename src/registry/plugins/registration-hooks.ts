import type { Undo } from '../../store/contract/provider.js'
import { withinDeadline } from '../async/within-deadline.js'

/** Runs what happens when a provider is registered, and undoes it. */
export class RegistrationHooks {
  readonly #undos: (() => unknown)[] = []

  /**
   * @param ms - time for each hook, and for undoing it
   * @param failed - receives the errors of undoing
   */
  constructor(
    private readonly ms: number,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Runs hooks one after the other. @throws the first error, after which `undo` undoes the hooks before it */
  async run(hooks: readonly (() => Promise<Undo> | Undo)[]): Promise<void> {
    for (const hook of hooks) {
      const running = Promise.resolve().then(hook)
      // A hook that completes after its deadline is undone then.
      const giveUp = (error: unknown) => {
        running.then((undo) => (typeof undo === 'function' ? undo() : undefined)).catch(() => {})
        throw error
      }
      const undo = await withinDeadline(this.ms, () => running, { what: 'The hook' }).catch(giveUp)
      if (typeof undo === 'function') this.#undos.push(undo)
    }
  }

  /** Undoes all hooks, the last first. Never rejects. */
  async undo(): Promise<void> {
    for (const undo of this.#undos.splice(0).reverse()) {
      try {
        await withinDeadline(this.ms, () => undo(), { what: 'Undoing the hook' })
      } catch (error) {
        this.failed(error)
      }
    }
  }
}
