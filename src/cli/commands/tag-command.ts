import type { CommandContext, CommandResult } from '../answers/command-context.js'
import { writeJson, writeJsonArray } from '../answers/command-context.js'
import type { Pages, ShownTag } from '../gateway/gateway-queries.js'
import { allTags, deleteTag, setTag, snapshotPlace, tagNamed } from '../gateway/gateway-queries.js'
import { parseTagName, parseVersion } from '../input/parse-at.js'
import { CommandFailure, EXIT, usageFailure } from '../terminal/command-failure.js'
import { printable } from '../terminal/printable.js'

export interface TagCommandOptions {
  readonly movable?: true
  readonly fixed?: true
  readonly expectedVersion?: string
  readonly delete: boolean
  readonly force: boolean
}

/** Lists tags, shows one, sets one, or deletes one with `--delete`. */
export async function tagCommand(
  context: CommandContext,
  name: string | undefined,
  version: string | undefined,
  options: TagCommandOptions,
): CommandResult {
  checkUse(name, version, options)
  const client = context.client()
  if (name === undefined) {
    await list(context, allTags(client))
    return 0
  }
  const known = parseTagName(name)
  if (options.delete) return show(context, await deleteTag(client, known, options.force), 'was on')
  if (version === undefined) {
    const found = await tagNamed(client, known)
    if (found === null) throw new CommandFailure(EXIT.refused, `There is no tag ${name}`, 'TAG_NOT_FOUND')
    return show(context, found, 'is on')
  }
  const { expectedVersion, movable, fixed } = options
  const set = await setTag(client, {
    name: known,
    version: version === 'head' ? (await snapshotPlace(client, null)).version.number : parseVersion(version),
    movable: movable ?? (fixed === true ? false : null),
    expectedVersion: expectedVersion === undefined ? null : parseVersion(expectedVersion),
  })
  return show(context, set, 'is on')
}

function checkUse(name: string | undefined, version: string | undefined, options: TagCommandOptions): void {
  if (options.delete && (name === undefined || version !== undefined))
    throw usageFailure('--delete needs the name of a tag and no version')
  if (options.force && !options.delete) throw usageFailure('--force is valid only with --delete')
  if (options.movable && options.fixed)
    throw usageFailure('--movable and --fixed exclude each other: remove one of them')
  if (version === undefined && (options.movable || options.fixed || options.expectedVersion !== undefined)) {
    throw usageFailure('--movable, --fixed and --expected-version need a version to set the tag to')
  }
}

async function list(context: CommandContext, pages: Pages<ShownTag>): Promise<void> {
  if (context.json) return writeJsonArray(context, mapped(pages))
  for await (const page of pages) await context.terminal.write(page.map((item) => `${line(item)}\n`).join(''))
}

async function* mapped(pages: Pages<ShownTag>): Pages<unknown> {
  for await (const page of pages) yield page.map(flat)
}

async function show(context: CommandContext, found: ShownTag, verb: string): CommandResult {
  if (context.json) await writeJson(context, flat(found))
  else await context.terminal.write(`The tag ${found.name} ${verb} v${found.version.number} (${sort(found)}).\n`)
  return 0
}

/** `release/1  v12  fixed  2026-01-31T12:00:00.000Z  ann` */
function line(found: ShownTag): string {
  const { name, version, createdAt, author } = found
  return [name, `v${version.number}`, sort(found), createdAt, printable(author ?? '')]
    .filter((part) => part !== '')
    .join('  ')
}

function sort({ movable }: ShownTag): string {
  return movable ? 'movable' : 'fixed'
}

function flat({ version, ...rest }: ShownTag): unknown {
  return { ...rest, version: version.number }
}
