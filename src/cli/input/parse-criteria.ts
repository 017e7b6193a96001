import type { Json, JsonObject } from '../../core/entry/json.js'
import { isJsonObject } from '../../core/entry/json.js'
import { usageFailure } from '../terminal/command-failure.js'

/**
 * What `find` takes: one JSON object, or `key=value` pairs such as `.kind=function.*` and `^meta.name=user`.
 * Fields of the entry itself and the operators `~ ^ $` take text. Elsewhere a value that is JSON is taken as
 * that (`80`, `true`, `["a","b"]`, `"80"` for the text), everything else as text. What the keys mean is the gateway's to say.
 * @throws Failure (usage)
 */
export function parseCriteria(words: readonly string[]): JsonObject {
  if (words.length === 1 && words[0]!.trimStart().startsWith('{')) return parseObject(words[0]!)
  const criteria: Record<string, Json> = {}
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals < 1)
      throw usageFailure(`${word} is no criterion: write key=value, such as .kind=function.*, or one JSON object`)
    const key = word.slice(0, equals)
    if (Object.hasOwn(criteria, key))
      throw usageFailure(`${key} is given twice; all criteria must hold, so write them as one`)
    Object.defineProperty(criteria, key, { value: parseValue(key, word.slice(equals + 1)), enumerable: true })
  }
  return criteria
}

function parseValue(key: string, text: string): Json {
  if (/^[~^$]|^\*?\./.test(key)) return text
  const looksLikeJson = key.startsWith('*') ? /^\[/ : /^[[{"]|^-?\d|^(true|false|null)$/
  if (!looksLikeJson.test(text)) return text
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

function parseObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    if (isJsonObject(value)) return value
  } catch (error) {
    throw usageFailure(`the criteria are no JSON object: ${(error as Error).message}`)
  }
  throw usageFailure('the criteria are no JSON object')
}
