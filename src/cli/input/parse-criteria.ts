import { InexactNumber, parseStrictJson } from '../../core/entry/exact-json.js'
import type { Json, JsonObject } from '../../core/entry/json.js'
import { isJsonObject } from '../../core/entry/json.js'
import { usageFailure } from '../terminal/command-failure.js'

/**
 * Parses criteria: one JSON object, or `key=value` pairs such as `.kind=function.*` and `^meta.name=user`.
 * Fields of the entry itself and the operators `~ ^ $` take text. Other values are parsed as JSON if they are JSON (`80`,
 * `true`, `["a","b"]`, `"80"` for the text), and are text otherwise. The gateway validates the keys.
 * @throws CommandFailure (usage)
 */
export function parseCriteria(words: readonly string[]): JsonObject {
  if (words.length === 1 && words[0]!.trimStart().startsWith('{')) return parseObject(words[0]!)
  const criteria: Record<string, Json> = {}
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals < 1)
      throw usageFailure(
        `${word} is not a criterion. Write key=value, for example .kind=function.*, or one JSON object`,
      )
    const key = word.slice(0, equals)
    if (Object.hasOwn(criteria, key)) throw usageFailure(`${key} is given twice. Remove one of the two`)
    Object.defineProperty(criteria, key, { value: parseValue(key, word.slice(equals + 1)), enumerable: true })
  }
  return criteria
}

function parseValue(key: string, text: string): Json {
  if (/^[~^$]|^\*?\./.test(key)) return text
  const jsonStart = key.startsWith('*') ? /^\[/ : /^[[{"]|^-?\d|^(true|false|null)$/
  if (!jsonStart.test(text)) return text
  try {
    return parseStrictJson(text) as Json
  } catch (error) {
    if (error instanceof InexactNumber) throw usageFailure(`${key}: ${error.message}`)
    return text
  }
}

function parseObject(text: string): JsonObject {
  try {
    const value = parseStrictJson(text)
    if (isJsonObject(value)) return value
  } catch (error) {
    if (error instanceof InexactNumber) throw usageFailure(`In the criteria, ${error.message}`)
    throw usageFailure(`The criteria are not a JSON object: ${(error as Error).message}`)
  }
  throw usageFailure('The criteria are not a JSON object')
}
