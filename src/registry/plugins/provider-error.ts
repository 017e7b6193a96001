/** Errors of providers, caused by a plugin or by the configuration. */
export const PROVIDER_ERROR_CODES = [
  /** The value is not a valid provider, or its role does not exist. */
  'INVALID_PROVIDER',
  /** A provider of this role and name is registered or being registered. */
  'PROVIDER_EXISTS',
  'PROVIDER_NOT_FOUND',
  /** The provider still has instances. `details.instances` is their number. */
  'PROVIDER_IN_USE',
  /** The configuration does not match its schema. `issues` lists every fault. */
  'INVALID_PROVIDER_CONFIG',
  /** A hook failed, so the registration was undone. `cause` is the error. */
  'PROVIDER_HOOK_FAILED',
  /** The object that the provider created cannot be used. */
  'PROVIDER_FAILED',
] as const
export type ProviderErrorCode = (typeof PROVIDER_ERROR_CODES)[number]

/** A fault of a configuration at a path like `auth.basic.user`, or of the whole if the path is empty. */
export interface ProviderConfigIssue {
  readonly path: string
  readonly message: string
}

/** An error of a provider. Its message names the provider, the fault and what to do. It never contains a value of a configuration. */
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
