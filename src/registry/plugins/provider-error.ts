/** What can go wrong with providers, and whose doing it is: a plugin's, or the configuration's. */
export const PROVIDER_ERROR_CODES = [
  /** It breaks the form of a provider, or its role is none. */
  'INVALID_PROVIDER',
  /** One of this role and name is registered, or being registered. */
  'PROVIDER_EXISTS',
  'PROVIDER_NOT_FOUND',
  /** It still has instances; `details.instances` says how many. */
  'PROVIDER_IN_USE',
  /** The configuration does not fit its schema; `issues` has everything that is wrong. */
  'INVALID_PROVIDER_CONFIG',
  /** A hook failed, so the registration was undone; `cause` says why. */
  'PROVIDER_HOOK_FAILED',
  /** What it gave cannot be used. */
  'PROVIDER_FAILED',
] as const
export type ProviderErrorCode = (typeof PROVIDER_ERROR_CODES)[number]

/** One thing that is wrong with a configuration: at the path `auth.basic.user`, or with the whole where that is empty. */
export interface ProviderConfigIssue {
  readonly path: string
  readonly message: string
}

/** Its message says what was wrong with which provider and what to do; it never has a value out of a configuration. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError'

  constructor(
    readonly code: ProviderErrorCode,
    message: string,
    readonly details: { readonly instances?: number; readonly issues?: readonly ProviderConfigIssue[] } = {},
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}
