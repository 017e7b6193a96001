// Fails on words that the style guide rules out (rules.mjs), in code, comments, documents and schema descriptions.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { identifierRules, phraseRules } from './rules.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROSE = /\.(?:ts|tsx|mjs|js|md|graphql|html|css|yaml|yml)$|(?:^|\/)(?:Dockerfile|\.dockerignore|\.ci\/run)$/
const CODE = /\.(?:ts|tsx|mjs|js)$/
/** The rules quote what they forbid, and so does their test. Generated SDL and code repeat what their sources say. */
const EXEMPT = /^(?:scripts\/prose\/|test\/scripts\/check-prose|test\/fixtures\/|drizzle\/|.*\/generated\/)/

/**
 * The faults of one file, a line each: `path:line "words": write … instead`.
 * @param {string} path relative to the clone
 * @param {string} text
 * @returns {string[]}
 */
export function proseFaults(path, text) {
  const faults = CODE.test(path) ? nameFaults(basename(path).replace(/\..*$/, ''), path) : []
  text.split('\n').forEach((line, i) => {
    const place = `${path}:${i + 1}`
    for (const { pattern, instead } of phraseRules) {
      const found = pattern.exec(line)
      if (found) faults.push(`${place} "${found[0].trim()}": write ${instead}`)
    }
    if (CODE.test(path)) for (const name of declaredNames(line)) faults.push(...nameFaults(name, place))
  })
  return faults
}

/** Names that a line declares: variables, functions, classes, types, members and parameters with a type. */
function declaredNames(line) {
  if (/^\s*(?:\/\/|\/?\*)/.test(line)) return []
  const declared =
    /\b(?:const|let|function\*?|class|interface|type|enum|readonly|get|set|static|async)\s+#?(\w+)|^\s+#?(\w+)\??(?:\(|:| = )/g
  return [...line.matchAll(declared)].map(([, keyword, member]) => keyword ?? member)
}

/** Names that the contract fixes. */
const FIXED_NAMES = new Set(['HISTORY_NOT_KEPT'])

function nameFaults(name, place) {
  if (FIXED_NAMES.has(name)) return []
  const words = name
    .replace(/look[-_]?(?:up|ahead|behind)/gi, '')
    .split(/(?<=[a-z\d])(?=[A-Z])|[-_]/)
    .map((word) => word.toLowerCase())
  return identifierRules.flatMap(({ pattern, instead }) =>
    words.some((word) => pattern.test(word)) ? [`${place} the name "${name}": use ${instead}`] : [],
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const paths = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((path) => PROSE.test(path) && !EXEMPT.test(path))
  const faults = paths.flatMap((path) => {
    try {
      return proseFaults(path, readFileSync(join(ROOT, path), 'utf8'))
    } catch (error) {
      // Deleted and not yet staged.
      if (error.code === 'ENOENT') return []
      throw error
    }
  })
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) console.error(`${faults.length} places to reword. The rules are in scripts/prose/rules.mjs.`)
  process.exitCode = faults.length === 0 ? 0 : 1
}
