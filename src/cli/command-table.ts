import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import type { CommandContext, CommandResult } from './answers/command-context.js'
import type { SourceAction } from './commands/source-command.js'
import type { ExportForm } from './folder/export-forms.js'

/** A command of the program: how it is called, and the function that runs it. */
export interface CommandRow {
  readonly name: string
  readonly description: string
  /** Declares the arguments and options. */
  readonly declare?: (command: Command) => Command
  /** Imports the function. Only the command that runs is loaded: `--help` needs none of their packages. */
  readonly load: () => Promise<(context: CommandContext, ...args: never[]) => CommandResult>
}

const path = () => new Argument('<path>', 'a folder, or a .yaml, .yml, .json or .jsonl file')
const version = () => new Argument('<version>', 'for example v3')
const at = () => new Option('--at <point>', 'v3 (a version), r7 (a revision), tag:NAME or a time').default('head')
const limit = () => new Option('--limit <number>', 'show at most this many').argParser(positiveInteger)
const message = () => new Option('--message <text>', 'reason for the change, shown in the log')
const dryRun = () => new Option('--dry-run', 'check everything and change nothing').default(false)
const expectedHead = () => new Option('--expected-head <version>', 'refuse unless this version is the head')
const allowEmpty = (description: string) => new Option('--allow-empty', description).default(false)

/** The options of `apply` and `plan`, so that a plan shows what the same line with `apply` does. */
const comparing = (command: Command) =>
  command
    .addArgument(path())
    .addOption(
      new Option('--prune', 'also delete the other entries of the namespaces that the files define').default(false),
    )
    .addOption(allowEmpty('let --prune delete everything if the files define no entry'))
    .addOption(new Option('--including-owned', 'let --prune delete entries that a source owns').default(false))
    .addOption(
      new Option('--keep-going', 'apply the other definitions if some cannot be used; exit with 1').default(false),
    )

/** Every command, in the order of the help. docs/command-line.md has a row for each. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'serve',
    description: 'start the gateway, configured by the environment',
    load: async () => (await import('./commands/serve-command.js')).serveCommand,
  },
  {
    name: 'migrate',
    description: "bring the tables of the store up to date (DATABASE_URL, or the embedded store's)",
    load: async () => (await import('./commands/migrate-command.js')).migrateCommand,
  },
  {
    name: 'verify',
    description: 'check the stored history (DATABASE_URL, or the embedded store while no gateway runs on it)',
    load: async () => (await import('./commands/verify-command.js')).verifyCommand,
  },
  {
    name: 'apply',
    description: 'change the registry to the state of a folder or file, as one changeset',
    declare: (command) => comparing(command).addOption(dryRun()).addOption(message()),
    load: async () => (await import('./commands/apply-command.js')).applyCommand,
  },
  {
    name: 'plan',
    description: 'show what apply would change',
    declare: comparing,
    load: async () => (await import('./commands/plan-command.js')).planCommand,
  },
  {
    name: 'export',
    description: 'write all entries, as JSON lines to standard output or as one file per namespace',
    declare: (command) =>
      command
        .argument('[folder]', 'target folder; - is standard output', '-')
        .addOption(at())
        .addOption(
          new Option('--form <form>', 'form of the files in a folder')
            .choices(['wippy', 'entry'] satisfies ExportForm[])
            .default('wippy'),
        )
        .option('--overwrite', 'write into a folder that is not empty', false),
    load: async () => (await import('./commands/export-command.js')).exportCommand,
  },
  {
    name: 'get',
    description: 'print one entry',
    declare: (command) => command.argument('<id>', 'namespace:name').addOption(at()),
    load: async () => (await import('./commands/get-command.js')).getCommand,
  },
  {
    name: 'find',
    description: 'list the entries that match',
    declare: (command) =>
      command
        .argument(
          '[criteria...]',
          'such as .kind=function.* ^meta.name=user, or one JSON object; quote what your shell would expand',
        )
        .addOption(at())
        .addOption(limit()),
    load: async () => (await import('./commands/find-command.js')).findCommand,
  },
  {
    name: 'log',
    description: 'list the versions, newest first',
    declare: (command) =>
      command.option('--transitions', 'list the movements of the head instead', false).addOption(limit()),
    load: async () => (await import('./commands/log-command.js')).logCommand,
  },
  {
    name: 'diff',
    description: 'show what changed between two points in history',
    declare: (command) =>
      command
        .argument('<from>', 'v3, r7, head, tag:NAME or a time')
        .argument('<to>', 'v3, r7, head, tag:NAME or a time'),
    load: async () => (await import('./commands/diff-command.js')).diffCommand,
  },
  {
    name: 'rollback',
    description: 'move the head to a version: back, forward or across branches',
    declare: (command) =>
      command.addArgument(version()).addOption(dryRun()).addOption(message()).addOption(expectedHead()),
    load: async () => (await import('./commands/rollback-command.js')).rollbackCommand,
  },
  {
    name: 'revert',
    description: 'undo the changes of one version, as a new version on top of the head',
    declare: (command) =>
      command.addArgument(version()).addOption(dryRun()).addOption(message()).addOption(expectedHead()),
    load: async () => (await import('./commands/revert-command.js')).revertCommand,
  },
  {
    name: 'tag',
    description: 'list tags, show one, or set or delete one',
    declare: (command) =>
      command
        .argument('[name]', 'for example release/1.2')
        .argument('[version]', 'v3 or head: set the tag to this version')
        .option('--movable', 'allow the tag to be moved later')
        .option('--fixed', 'never allow the tag to be moved (the default for a new tag)')
        .option('--expected-version <version>', 'refuse unless the tag is on this version')
        .option('--delete', 'delete the tag', false)
        .option('--force', 'delete the tag even if it is fixed', false),
    load: async () => (await import('./commands/tag-command.js')).tagCommand,
  },
  {
    name: 'compact',
    description: 'squash the history before a revision into one baseline; this cannot be undone',
    declare: (command) =>
      command
        .argument('<revision>', 'for example r7: the oldest revision to keep')
        .addOption(new Option('--dry-run', 'only report what would be removed').default(false)),
    load: async () => (await import('./commands/compact-command.js')).compactCommand,
  },
  {
    name: 'instances',
    description: 'list the live instances of an entry',
    declare: (command) => command.argument('<entry>', 'the id of the entry'),
    load: async () => (await import('./commands/instances-command.js')).instancesCommand,
  },
  {
    name: 'source',
    description: 'list the sources, reload one, or show what a reload would change',
    declare: (command) =>
      command
        .addArgument(
          new Argument('<action>', 'what to do').choices(['list', 'reload', 'plan'] satisfies SourceAction[]),
        )
        .argument('[name]', 'the source to reload or plan')
        .addOption(allowEmpty('delete all entries of the source if it defines nothing any more')),
    load: async () => (await import('./commands/source-command.js')).sourceCommand,
  },
  {
    name: 'watch',
    description: 'follow the changes as they happen, and resume after a lost connection',
    declare: (command) =>
      command
        .option('--after <cursor>', 'resume after this cursor')
        .option('--find <criteria...>', 'only entries that match; same syntax as for find')
        .option('--initial', 'start with the entries at the head', false),
    load: async () => (await import('./commands/watch-command.js')).watchCommand,
  },
]

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number above 0.')
  return Number(text)
}
