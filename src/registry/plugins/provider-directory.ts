/** Description of a provider. */
export interface ProviderInfo {
  readonly role: string
  readonly name: string
  readonly displayName: string
  readonly version: string
  readonly description: string
  readonly capabilities: readonly string[]
  /** Whether it is used if a configuration names no provider. */
  readonly isDefault: boolean
  /** Number of objects that it created, or is creating, and that are not closed. */
  readonly instanceCount: number
  readonly registeredAt: Date
}

/** Read access to providers, which is all that clients have. */
export interface ProviderDirectory {
  /** Lists providers in the order of the roles, then by name. A missing or null condition matches all. */
  find(wanted?: { readonly role?: string | null; readonly capability?: string | null }): readonly ProviderInfo[]
  get(role: string, name: string): ProviderInfo | null
  /**
   * Checks whether the objects that a provider created work. Null if it created nothing or has no health check. Never
   * throws: a check that fails or is late counts as false. Concurrent calls share the check in flight.
   */
  isHealthy(role: string, name: string): Promise<boolean | null>
}
