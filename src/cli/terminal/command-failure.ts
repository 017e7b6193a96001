export const EXIT = { done: 0, refused: 1, usage: 2, unreachable: 3 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The reason why a command failed, and its exit code. */
export class CommandFailure extends Error {
  override readonly name = 'Failure'

  constructor(
    readonly exitCode: Exclude<ExitCode, 0>,
    message: string,
    /** The gateway's error code or one of ours, for `--json`. */
    readonly code: string,
    /** Further members that `--json` prints. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
  }
}

export function usageFailure(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message, 'USAGE')
}
