// Writes docs/bounds.md from the constants in src/ that have `@bound` in their doc comment.
// With --check it only compares, and fails if the file is out of date.
// It finds constants by the tag and never by their path, so moving a file changes only the links.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const FLOORS = ['core', 'store', 'registry', 'sources', 'graphql', 'server', 'cli', 'client']
const UNITS = [
  [
    /(_MS|Ms|Timeout)$/,
    [
      [60_000, 'min'],
      [1_000, 's'],
      [1, 'ms'],
    ],
  ],
  [/(_SECONDS|Seconds)$/, [[1, 's']]],
  [
    /(BYTES|Bytes)$/,
    [
      [1024 ** 2, 'MiB'],
      [1024, 'KiB'],
      [1, 'bytes'],
    ],
  ],
  [/Megabytes$/, [[1, 'MB']]],
]

/**
 * Finds the tagged constants and properties of a source text.
 * @throws Error if the value below a tag is neither a number nor a product of numbers
 */
export function boundsIn(text, path) {
  return [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*([^\n]*)/g)]
    .filter(([, comment]) => /@bound\b/.test(comment))
    .map(([, comment, line]) => {
      const declared = /^(?:export )?(?:const )?(\w+)(?:: \w+)?(?: =|:) ([\d_]+(?: \* [\d_]+)*),?$/.exec(line)
      if (declared === null) {
        throw new Error(`${path}: below @bound there must be a constant that is a number or a product, not "${line}"`)
      }
      const [, name, product] = declared
      const value = product.split(' * ').reduce((sum, factor) => sum * Number(factor.replaceAll('_', '')), 1)
      const meaning = comment
        .replace(/^\s*\* ?/gm, '')
        .replace('@bound', '')
        .replace(/\s+/g, ' ')
        .trim()
      if (meaning === '') throw new Error(`${path}: the @bound of ${name} has no text; write what it limits`)
      return { name, value, meaning, path }
    })
}

/** Prints a value in the largest unit that divides it; the name of the constant gives the unit. */
export function printedValue(name, value) {
  const [, steps] = UNITS.find(([pattern]) => pattern.test(name)) ?? [null, [[1, '']]]
  const [size, unit] = steps.find(([step]) => value % step === 0 && value >= step) ?? steps.at(-1)
  return `${(value / size).toLocaleString('en-US')} ${unit}`.trim()
}

/** The whole document. */
export function boundsDocument(bounds) {
  const sections = FLOORS.flatMap((floor) => {
    const rows = bounds
      .filter(({ path }) => path.startsWith(`src/${floor}/`))
      .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
      .map(
        ({ name, value, meaning, path }) =>
          `| ${meaning.replaceAll('|', '\\|')} | ${printedValue(name, value)} | \`${name}\` in [${basename(path)}](../${path}) |`,
      )
    if (rows.length === 0) return []
    return ['', `## src/${floor}`, '', '| Bound | Value | Constant |', '| --- | --- | --- |', ...rows]
  })
  return [
    '# Deadlines and bounds',
    '',
    'Every call settles, and every queue and cache has a limit. This page lists the limits of one gateway.',
    'It is generated from the constants in the code that have `@bound` in their doc comment.',
    'To change it, edit the comment or the constant and run `node scripts/generate-bounds.mjs`.',
    '',
    'Each value is a maximum, unless the text states otherwise.',
    ...sections,
    '',
  ].join('\n')
}

function allBounds() {
  const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name.endsWith('.ts'))
    .map((file) => relative(root, join(file.parentPath, file.name)).split(sep).join('/'))
    .sort()
  return files.flatMap((path) => boundsIn(readFileSync(join(root, path), 'utf8'), path))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = join(root, 'docs', 'bounds.md')
  const text = boundsDocument(allBounds())
  if (!process.argv.includes('--check')) {
    writeFileSync(file, text)
  } else if (readOr(file) !== text) {
    console.error('docs/bounds.md is out of date. Run `node scripts/generate-bounds.mjs` and commit the result.')
    process.exitCode = 1
  }
}

function readOr(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
