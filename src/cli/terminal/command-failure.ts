export const EXIT = { done: 0, refused: 1, usage: 2, unreachable: 3 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Why a command did not do what it was asked: what to print, and the exit code that tells scripts. */
export class CommandFailure extends Error {
  override readonly name = 'Failure'

  constructor(
    readonly exitCode: Exclude<ExitCode, 0>,
    message: string,
    /** The gateway's or our own word for it; for `--json`. */
    readonly code: string,
    /** What `--json` prints besides code and message. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
  }
}

export function usageFailure(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message, 'USAGE')
}
