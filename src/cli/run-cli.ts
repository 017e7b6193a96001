import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { CommandContext, CommandResult } from './answers/command-context.js'
import { applyCommand } from './commands/apply-command.js'
import { compactCommand } from './commands/compact-command.js'
import { diffCommand } from './commands/diff-command.js'
import { exportCommand } from './commands/export-command.js'
import { findCommand } from './commands/find-command.js'
import { getCommand } from './commands/get-command.js'
import { instancesCommand } from './commands/instances-command.js'
import { logCommand } from './commands/log-command.js'
import { planCommand } from './commands/plan-command.js'
import { revertCommand } from './commands/revert-command.js'
import { rollbackCommand } from './commands/rollback-command.js'
import { serveCommand } from './commands/serve-command.js'
import { SOURCE_ACTIONS, sourceCommand } from './commands/source-command.js'
import { tagCommand } from './commands/tag-command.js'
import { watchCommand } from './commands/watch-command.js'
import { GatewayClient } from './gateway/gateway-client.js'
import { DEFAULT_URL, gatewayUrl } from './gateway/gateway-url.js'
import type { ExitCode } from './terminal/command-failure.js'
import { CommandFailure, EXIT, usageFailure } from './terminal/command-failure.js'
import type { Terminal } from './terminal/terminal.js'

export interface CliOptions {
  readonly terminal: Terminal
  /** What `--url` is where it is not given. */
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
 * Runs one command line, `argv` without the program's own name. Never throws: what goes wrong is printed and told
 * by the exit code.
 */
export async function runCli(argv: readonly string[], options: CliOptions): Promise<ExitCode> {
  const { terminal } = options
  let exitCode: ExitCode = EXIT.done
  const program = cadastre(options, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has printed what it has to say; help and version are no mistakes.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return EXIT.done
    return tell(error, terminal, program.opts<GlobalOptions>().json === true)
  }
}

function tell(error: unknown, terminal: Terminal, json: boolean): ExitCode {
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

function cadastre(
  { terminal, defaultUrl = DEFAULT_URL, version }: CliOptions,
  done: (code: ExitCode) => void,
): Command {
  const program = new Command('cadastre')
    .description('A versioned registry behind one GraphQL endpoint: serve it, fill it, look into it, follow it.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.write(text),
      writeErr: (text) => terminal.note(text.replace(/\n$/, '')),
    })
    .configureHelp({ showGlobalOptions: true })
    .option('--url <url>', 'the gateway to talk to; CADASTRE_URL says it too', defaultUrl)
    .option('--author <name>', 'in whose name to write', authorName)
    .option('--timeout <seconds>', 'longest wait for an answer', positive)
    .option('--json', 'print for machines')
    .addHelpText('after', '\nExit codes: 0 done, 1 refused, 2 wrong usage, 3 unreachable.')

  /** A command's action: it is given what all of them need, and its result is the exit code. */
  const run =
    <Arguments extends unknown[]>(action: (context: CommandContext, ...args: Arguments) => CommandResult) =>
    async (...args: Arguments): Promise<void> => {
      const { url, author, timeout, json } = program.opts<GlobalOptions>()
      let client: GatewayClient | undefined
      const context: CommandContext = {
        terminal,
        json: json === true,
        client: () =>
          (client ??= new GatewayClient({ url: gatewayUrl(url), author, timeoutMs: timeout && timeout * 1000 })),
      }
      done(await action(context, ...args))
    }

  const path = () => new Argument('<path>', 'a folder, or a .yaml, .yml, .json or .jsonl file')
  const at = () =>
    new Option('--at <place>', 'as it stood at v3 (a version), r7 (a revision), tag:NAME or a time').default('head')
  const limit = () => new Option('--limit <number>', 'at most this many').argParser(count)
  const message = () => new Option('--message <text>', 'why, for the log')
  const dryRun = () => new Option('--dry-run', 'have everything checked and change nothing').default(false)
  const pruned = 'also delete what the registry has beyond the files, in the namespaces that occur in them'
  const prune = () => new Option('--prune', pruned).default(false)

  program.command('serve').description('start the gateway; the environment configures it').action(run(serveCommand))
  // These two open a store: its drivers are loaded only for them.
  program
    .command('migrate')
    .description("bring the store's tables up to date: DATABASE_URL's, or the embedded store's")
    .action(run(async (context) => (await import('./commands/migrate-command.js')).migrateCommand(context)))
  program
    .command('verify')
    .description("check the stored history: DATABASE_URL's, or the embedded store's while no gateway runs on it")
    .action(run(async (context) => (await import('./commands/verify-command.js')).verifyCommand(context)))
  program
    .command('apply')
    .description('bring the registry to what a folder or file says, as one changeset')
    .addArgument(path())
    .addOption(dryRun())
    .addOption(prune())
    .addOption(message())
    .action(run(applyCommand))
  program
    .command('plan')
    .description('show what apply would change')
    .addArgument(path())
    .addOption(prune())
    .action(run(planCommand))
  program
    .command('export')
    .description('write all entries: a line of JSON each to standard output, or a file for each namespace')
    .argument('[folder]', 'where to; - is standard output', '-')
    .addOption(at())
    .addOption(new Option('--form <form>', 'of the files in a folder').choices(['wippy', 'entry']).default('wippy'))
    .option('--overwrite', 'write into a folder that is not empty', false)
    .action(run(exportCommand))
  program
    .command('get')
    .description('print one entry')
    .argument('<id>', 'namespace:name')
    .addOption(at())
    .action(run(getCommand))
  program
    .command('find')
    .description('list the entries that match')
    .argument(
      '[criteria...]',
      'such as .kind=function.* ^meta.name=user, or one JSON object; quote what your shell would take',
    )
    .addOption(at())
    .addOption(limit())
    .action(run(findCommand))
  program
    .command('log')
    .description('list the versions, the newest first')
    .option('--transitions', 'list the movements of the head instead', false)
    .addOption(limit())
    .action(run(logCommand))
  program
    .command('diff')
    .description('show what changed between two places in the history')
    .argument('<from>', 'v3, r7, head, tag:NAME or a time')
    .argument('<to>', 'likewise')
    .action(run(diffCommand))
  program
    .command('rollback')
    .description('move the head to a version: back, forward or across branches')
    .argument('<version>', 'such as v3')
    .addOption(dryRun())
    .addOption(message())
    .option('--expected-head <version>', 'only where this version is the head')
    .action(run(rollbackCommand))
  program
    .command('revert')
    .description('take back what one version changed, as a new version on top of the head')
    .argument('<version>', 'such as v3')
    .addOption(dryRun())
    .addOption(message())
    .option('--expected-head <version>', 'only where this version is the head')
    .action(run(revertCommand))
  program
    .command('tag')
    .description('list the names of versions, show one, or put one on a version')
    .argument('[name]', 'such as release/1.2')
    .argument('[version]', 'v3 or head: put it there')
    .option('--movable', 'it may be moved later')
    .option('--fixed', 'it stays where it is; so is a new one unless told')
    .option('--expected-version <version>', 'only where it stands on this version')
    .option('--delete', 'take it away', false)
    .option('--force', 'even where it is fixed', false)
    .action(run(tagCommand))
  program
    .command('compact')
    .description('squash what lies before a revision into the state it begins with; cannot be undone')
    .argument('<revision>', 'such as r7: from there on everything is kept')
    .addOption(new Option('--dry-run', 'only tell what it would take away').default(false))
    .action(run(compactCommand))
  program
    .command('instances')
    .description('list who uses an entry')
    .argument('<entry>', 'its id')
    .action(run(instancesCommand))
  program
    .command('source')
    .description('list the sources, load one anew, or show what that would change')
    .addArgument(new Argument('<action>', 'what to do').choices(SOURCE_ACTIONS))
    .argument('[name]', 'which source, for reload and plan')
    .action(run(sourceCommand))
  program
    .command('watch')
    .description('follow the changes as they happen; goes on by itself after a lost connection')
    .option('--after <cursor>', 'go on after this cursor')
    .option('--find <criteria...>', 'only entries that match; written as for find')
    .option('--initial', 'begin with the entries as they stand', false)
    .action(run(watchCommand))
  return program
}

function positive(text: string): number {
  const value = Number(text)
  // The longest that a timer can wait.
  if (!(value > 0 && value <= 2_147_483)) throw new InvalidArgumentError('It must be a number of seconds above 0.')
  return value
}

function count(text: string): number {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number above 0.')
  return Number(text)
}

function authorName(text: string): string {
  if (/[\u0000-\u001f\u007f]/.test(text)) throw usageFailure('--author must not have control characters')
  return text
}
