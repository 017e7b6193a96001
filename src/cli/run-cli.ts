import { Command, CommanderError, InvalidArgumentError } from 'commander'
import type { CommandContext } from './answers/command-context.js'
import { COMMANDS } from './command-table.js'
import { GatewayClient } from './gateway/gateway-client.js'
import { DEFAULT_URL, gatewayUrl } from './gateway/gateway-url.js'
import type { ExitCode } from './terminal/command-failure.js'
import { CommandFailure, EXIT, usageFailure } from './terminal/command-failure.js'
import type { Terminal } from './terminal/terminal.js'

export interface CliOptions {
  readonly terminal: Terminal
  /** The default of `--url`. */
  readonly defaultUrl?: string | undefined
  readonly version: string
}

interface GlobalOptions {
  readonly url: string
  readonly author?: string
  readonly timeout?: number
  readonly json?: true
}

/**
 * Runs one command line. `argv` does not include the program's own name. It never throws: an error is printed, and the
 * exit code reports it.
 */
export async function runCli(argv: readonly string[], options: CliOptions): Promise<ExitCode> {
  const { terminal } = options
  let exitCode: ExitCode = EXIT.done
  const program = createProgram(options, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has already printed its message. Help and version are not errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return EXIT.done
    return printFailure(error, terminal, program.opts<GlobalOptions>().json === true)
  }
}

function printFailure(error: unknown, terminal: Terminal, json: boolean): ExitCode {
  const failure =
    error instanceof CommandFailure
      ? error
      : new CommandFailure(EXIT.refused, (error as Error).stack ?? String(error), 'INTERNAL')
  const { code, message, details } = failure
  terminal.note(
    json ? JSON.stringify({ error: { code, message, ...details } }) : `${terminal.colors.red('error')} ${message}`,
  )
  return failure.exitCode
}

function createProgram(
  { terminal, defaultUrl = DEFAULT_URL, version }: CliOptions,
  onExitCode: (code: ExitCode) => void,
): Command {
  const program = new Command('cadastre')
    .description('A versioned registry behind one GraphQL endpoint: run it, fill it, read it and follow it.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.write(text),
      writeErr: (text) => terminal.note(text.replace(/\n$/, '')),
    })
    .configureHelp({ showGlobalOptions: true })
    .option('--url <url>', "the gateway's endpoint; CADASTRE_URL sets it too", defaultUrl)
    .option('--author <name>', 'the author of the changes', authorName)
    .option('--timeout <seconds>', 'how long to wait for an answer', positiveSeconds)
    .option('--json', 'print JSON for programs')
    .addHelpText('after', '\nExit codes: 0 done, 1 refused, 2 wrong usage, 3 gateway unreachable.')

  const createContext = (): CommandContext => {
    const { url, author, timeout, json } = program.opts<GlobalOptions>()
    let client: GatewayClient | undefined
    return {
      terminal,
      json: json === true,
      client: () =>
        (client ??= new GatewayClient({ url: gatewayUrl(url), author, timeoutMs: timeout && timeout * 1000 })),
    }
  }

  for (const { name, description, declare, load } of COMMANDS) {
    const command = program.command(name).description(description)
    declare?.(command)
    command.action(async (...args: unknown[]) => {
      const run = await load()
      onExitCode(await run(createContext(), ...(args as never[])))
    })
  }
  return program
}

function positiveSeconds(text: string): number {
  const value = Number(text)
  // The longest that a timer can wait.
  if (!(value > 0 && value <= 2_147_483)) throw new InvalidArgumentError('It must be a number of seconds above 0.')
  return value
}

function authorName(text: string): string {
  if (/[\u0000-\u001f\u007f]/.test(text)) throw usageFailure('--author must not contain control characters')
  return text
}
