import { Command, CommanderError, InvalidArgumentError } from 'commander'
import type { CommandContext } from './answers/command-context.js'
import { COMMANDS } from './command-table.js'
import { GatewayClient } from './gateway/gateway-client.js'
import { DEFAULT_URL, gatewayUrl } from './gateway/gateway-url.js'
import type { ExitCode } from './terminal/command-failure.js'
import { CommandFailure, EXIT, usageFailure } from './terminal/command-failure.js'
import { OutputClosed, systemFailure } from './terminal/system-failure.js'
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
  const commander = new CommanderOutput(terminal)
  // Not an option of Commander's: it may stop at a wrong argument before `--json`.
  const json = argv.includes('--json')
  const program = createProgram(options, commander, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...argv], { from: 'user' }).catch(async (error: unknown) => {
      if (!(error instanceof CommanderError)) throw error
      exitCode = await commander.end(error, json)
    })
    return exitCode
  } catch (error) {
    if (error instanceof OutputClosed) return EXIT.done
    return printFailure(error, terminal, json)
  }
}

/** The texts that Commander prints by itself: the help, the version, and what is wrong with the command line. */
class CommanderOutput {
  #written: Promise<void> = Promise.resolve()
  #help = ''

  constructor(private readonly terminal: Terminal) {}

  write(text: string): void {
    this.#written = this.#written.then(() => this.terminal.write(text))
    // `end` awaits the promise later, which is too late for Node's check of unhandled rejections.
    this.#written.catch(() => {})
  }

  /** Keeps the help for a command line without a command. Faults come here too; `end` has them from Commander's error. */
  writeError(text: string): void {
    this.#help += text
  }

  /**
   * Waits for the output, and prints the help if no command is named. Help and version that were asked for are no faults.
   * @throws CommandFailure (usage)
   */
  async end({ exitCode, code, message }: CommanderError, json: boolean): Promise<ExitCode> {
    await this.#written
    if (exitCode === 0) return EXIT.done
    if (code !== 'commander.help') throw usageFailure(message.replace(/^error: /, ''))
    if (json) throw usageFailure('Name a command. `cadastre --help` lists them')
    this.terminal.note(this.#help.replace(/\n$/, ''))
    return EXIT.usage
  }
}

function printFailure(thrown: unknown, terminal: Terminal, json: boolean): ExitCode {
  const error = systemFailure('The command failed', thrown)
  const failure =
    error instanceof CommandFailure ? error : new CommandFailure(EXIT.refused, error.stack ?? String(error), 'INTERNAL')
  const { code, message, details } = failure
  terminal.note(
    json ? JSON.stringify({ error: { code, message, ...details } }) : `${terminal.colors.red('error')} ${message}`,
  )
  return failure.exitCode
}

function createProgram(
  { terminal, defaultUrl = DEFAULT_URL, version }: CliOptions,
  output: CommanderOutput,
  onExitCode: (code: ExitCode) => void,
): Command {
  const program = new Command('cadastre')
    .description('A versioned registry behind one GraphQL endpoint: run it, fill it, read it and follow it.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.write(text),
      writeErr: (text) => output.writeError(text),
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
