import type { Json } from '../../core/entry/json.js'
import { jsonText } from '../../core/entry/negative-zero.js'
import type { StateDelta } from '../gateway/gateway-queries.js'
import { printable } from '../terminal/printable.js'
import type { Colors } from '../terminal/terminal.js'
import { leaves, valueDifferences } from '../terminal/value-differences.js'

/** The content of an entry as GraphQL returns it. */
export interface ShownContent {
  readonly kind: string
  readonly meta: Json
  readonly data: Json
}

/** A change of one entry between two states. If both sides exist with different kinds, it is a replacement. */
export interface ShownChange {
  readonly entryId: string
  readonly before: ShownContent | null
  readonly after: ShownContent | null
  /** The place that defines it, as `file:line`. */
  readonly origin?: string
}

export type ChangeWord = 'create' | 'update' | 'replace' | 'delete'

/** Longer values are truncated. `get` prints them whole. */
const MAX_VALUE = 96
const MAX_LINES = 12

export function changeWord({ before, after }: ShownChange): ChangeWord {
  if (before === null) return 'create'
  if (after === null) return 'delete'
  return before.kind === after.kind ? 'update' : 'replace'
}

const SIGNS: Record<ChangeWord, string> = { create: '+', update: '~', replace: '±', delete: '-' }

function paint(colors: Colors, word: ChangeWord): (text: string) => string {
  const painters: Record<ChangeWord, (text: string) => string> = {
    create: colors.green,
    update: colors.yellow,
    replace: colors.magenta,
    delete: colors.red,
  }
  return painters[word]
}

/** `+ create app:web  service.http  (web/_index.yaml:12)` */
export function changeHeading(change: ShownChange, colors: Colors): string {
  const word = changeWord(change)
  const kinds =
    word === 'replace' ? `${change.before!.kind} → ${change.after!.kind}` : (change.after ?? change.before)!.kind
  const origin = change.origin === undefined ? '' : colors.dim(`  (${printable(change.origin)})`)
  return `${paint(colors, word)(`${SIGNS[word]} ${word} ${colors.bold(printable(change.entryId))}`)}  ${colors.dim(kinds)}${origin}`
}

/** A change as a heading and one line per difference. A delete has only the heading. */
export function renderChange(change: ShownChange, colors: Colors): string {
  const lines = [changeHeading(change, colors)]
  const { before, after } = change
  if (after !== null) {
    for (const part of ['meta', 'data'] as const) lines.push(...partLines(part, before, after, colors))
  }
  return lines.join('\n')
}

function partLines(part: 'meta' | 'data', before: ShownContent | null, after: ShownContent, colors: Colors): string[] {
  if (before === null) {
    return leaves(part, after[part])
      .filter(({ path, value }) => path !== part || !isNothing(value))
      .map(({ path, value }) => `    ${colors.green(`+ ${printable(path)}:`)} ${shown(value)}`)
  }
  return valueDifferences(part, before[part], after[part]).flatMap((difference) => {
    const path = printable(difference.path)
    if (difference.before === undefined) return [`    ${colors.green(`+ ${path}:`)} ${shown(difference.after!)}`]
    if (difference.after === undefined) return [`    ${colors.red(`- ${path}:`)} ${shown(difference.before)}`]
    const texts = textLines(difference.before, difference.after, colors)
    if (texts !== undefined) return [`    ${colors.yellow(`~ ${path}:`)}`, ...texts]
    return [
      `    ${colors.yellow(`~ ${path}:`)} ${colors.red(shown(difference.before))} → ${colors.green(shown(difference.after))}`,
    ]
  })
}

/** For a multi-line text, the lines between the unchanged beginning and the unchanged end. */
function textLines(before: Json, after: Json, colors: Colors): string[] | undefined {
  if (typeof before !== 'string' || typeof after !== 'string') return undefined
  const old = before.split('\n')
  const next = after.split('\n')
  if (old.length === 1 && next.length === 1) return undefined
  const most = Math.min(old.length, next.length)
  let head = 0
  while (head < most && old[head] === next[head]) head++
  let tail = 0
  while (tail < most - head && old[old.length - 1 - tail] === next[next.length - 1 - tail]) tail++
  return [
    `        ${colors.dim(`@ line ${head + 1}`)}`,
    ...cut(old.slice(head, old.length - tail)).map((line) => `        ${colors.red(`- ${line}`)}`),
    ...cut(next.slice(head, next.length - tail)).map((line) => `        ${colors.green(`+ ${line}`)}`),
  ]
}

function cut(lines: readonly string[]): string[] {
  const shownLines = lines.slice(0, MAX_LINES).map((line) => shortened(printable(line)))
  return lines.length > MAX_LINES ? [...shownLines, `… ${lines.length - MAX_LINES} more lines`] : shownLines
}

function shown(value: Json): string {
  return shortened(printable(jsonText(value)))
}

function shortened(text: string): string {
  const points = [...text.slice(0, 2 * MAX_VALUE)]
  return points.length > MAX_VALUE ? `${points.slice(0, MAX_VALUE - 1).join('')}…` : text
}

/** Whether a value is the default of an omitted field, which needs no line. */
function isNothing(value: Json): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0)
}

export type ChangeCounts = Record<ChangeWord, number>

export function countChanges(changes: readonly ShownChange[]): ChangeCounts {
  const counts: ChangeCounts = { create: 0, update: 0, replace: 0, delete: 0 }
  for (const change of changes) counts[changeWord(change)]++
  return counts
}

/** For example `3 to create, 1 to delete`. Replacements are listed only if there are any. */
export function countsText(counts: ChangeCounts, tense: 'planned' | 'done'): string {
  const words: Record<ChangeWord, [planned: string, done: string]> = {
    create: ['to create', 'created'],
    update: ['to update', 'updated'],
    replace: ['to replace', 'replaced'],
    delete: ['to delete', 'deleted'],
  }
  return (Object.keys(words) as ChangeWord[])
    .filter((word) => word !== 'replace' || counts.replace > 0)
    .map((word) => `${counts[word]} ${words[word][tense === 'planned' ? 0 : 1]}`)
    .join(', ')
}

/** The changes of a delta, one per entry. A DELETE and a CREATE of the same id become one replacement. */
export function changesOf({ operations }: StateDelta): ShownChange[] {
  const changes = new Map<string, ShownChange>()
  for (const { entryId, entry, original } of operations) {
    const earlier = changes.get(entryId)
    changes.set(entryId, { entryId, before: earlier?.before ?? original, after: entry ?? earlier?.after ?? null })
  }
  return [...changes.values()]
}
