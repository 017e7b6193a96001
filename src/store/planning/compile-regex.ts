import { LRUCache } from 'lru-cache'
import { RE2JS } from 're2js'
import type { CompiledRegex, CompileRegex } from '../../core/criteria/compiled-regex.js'

/** @bound Length limit of a pattern, in UTF-16 code units. */
export const MAX_REGEX_LENGTH = 1_000
/**
 * @bound Instructions that a regular expression may compile to. In the worst case one character takes that many steps
 * (measured: 75 million steps a second). So 100 kB take 1.3 s at most and mostly under 5 ms.
 */
export const MAX_REGEX_SIZE = 1_000
/**
 * @bound Patterns that stay compiled, more than one criteria may have. Each may take 8 MB of automaton (measured; usual
 * ones take 10 kB).
 */
const CACHED_PATTERNS = 30

/**
 * Creates a compiler of RE2 syntax with a cache of its own for the last 30 patterns. Matching takes time linear in the
 * length of the text.
 * @throws Error from the compiler, with the fault of the pattern
 */
export function createRegexCompiler(): CompileRegex {
  const compiled = new LRUCache<string, CompiledRegex>({ max: CACHED_PATTERNS })
  return (pattern) => {
    const known = compiled.get(pattern)
    if (known !== undefined) return known
    const regex = compile(pattern)
    compiled.set(pattern, regex)
    return regex
  }
}

/** The compiler of the whole process, because its cache depends on patterns alone. */
export const compileRegex: CompileRegex = createRegexCompiler()

function compile(pattern: string): CompiledRegex {
  if (pattern.length > MAX_REGEX_LENGTH) throw new Error(`it has more than ${MAX_REGEX_LENGTH} characters`)
  const regex = parse(pattern)
  const size = regex.programSize()
  if (size > MAX_REGEX_SIZE) {
    throw new Error(`it is too large: ${size} instructions, more than ${MAX_REGEX_SIZE}. Reduce its repetitions`)
  }
  return { size, test: (text) => regex.test(text) }
}

function parse(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new Error(error.message.replace(/^error parsing regexp: /, ''), { cause: error })
  }
}
