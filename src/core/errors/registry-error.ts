import type { ErrorCode } from './codes.js'

/** An error for the caller. Its message states what is wrong and what to do. All other errors are masked. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** Further facts for programs, e.g. the oldest available revision. */
    readonly details: Readonly<Record<string, string | number | boolean | null>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}
