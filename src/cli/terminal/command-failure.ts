import type { CliCode, ErrorCode } from '../../core/errors/codes.js'

export const EXIT = { done: 0, refused: 1, usage: 2, unreachable: 3 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A code that a gateway or the operating system reported, such as `ECONNREFUSED`. */
export type ForeignCode = string & { readonly __brand: 'ForeignCode' }

/** The reason why a command failed, and its exit code. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'

  constructor(
    readonly exitCode: Exclude<ExitCode, 0>,
    message: string,
    /** Printed by `--json`. */
    readonly code: CliCode | ErrorCode | ForeignCode,
    /** Further members that `--json` prints. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
  }
}

export function usageFailure(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message, 'USAGE')
}
