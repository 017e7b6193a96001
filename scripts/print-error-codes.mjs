// Writes docs/error-codes.md from the compiled table of codes. With --check it only compares, and fails if the file is
// out of date. It needs a build first. --dist names another folder than dist/.
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const file = resolve(root, 'docs/error-codes.md')

/**
 * Prints the document.
 * @param {(place: 'problem' | 'error' | 'cli') => readonly { code: string, meaning: string }[]} codesOf
 */
export function errorCodesDocument(codesOf) {
  const table = (place) => [
    '| Code | Meaning |',
    '| --- | --- |',
    ...codesOf(place).map(({ code, meaning }) => `| \`${code}\` | ${meaning} |`),
  ]
  return [
    '# Error codes',
    '',
    'Generated from the table in [codes.ts](../src/core/errors/codes.ts) by `node scripts/print-error-codes.mjs`.',
    '',
    '## Problems of a refused write',
    '',
    'A refused write is an answer of type `Refused`. Each of its `problems` has a code and a message that says what to do.',
    '',
    ...table('problem'),
    '',
    '## Errors',
    '',
    'An error has its code in `extensions.code`. The limits are in [limits.md](limits.md).',
    '',
    ...table('error'),
    '',
    '## Failures of the command line',
    '',
    'With `--json`, a command that fails prints `{"error": {"code": …, "message": …}}`.',
    'The code is one of the above, or:',
    '',
    ...table('cli'),
    '',
  ].join('\n')
}

/** Removes the padding of table cells, which a formatter may add. */
export function withoutPadding(markdown) {
  return markdown.replace(/ +/g, ' ').replace(/-{3,}/g, '---')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false }, dist: { type: 'string' } } })
  const dist = values.dist === undefined ? resolve(root, 'dist') : resolve(values.dist)
  const { codesOf } = await import(pathToFileURL(resolve(dist, 'core/errors/codes.js')).href)
  const printed = errorCodesDocument(codesOf)
  if (!values.check) await writeFile(file, printed)
  else if (withoutPadding(await readFile(file, 'utf8').catch(() => '')) !== withoutPadding(printed)) {
    console.error('docs/error-codes.md is out of date. Run `node scripts/print-error-codes.mjs` and commit the result.')
    process.exitCode = 1
  }
}
