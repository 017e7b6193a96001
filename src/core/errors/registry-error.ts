import type { ErrorCode } from './codes.js'

/** An error that tells its caller what was wrong and what to do; everything else is masked. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** Further facts for machines, e.g. the oldest revision to be had. */
    readonly details: Readonly<Record<string, string | number | boolean | null>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}
