import { isJsonObject } from '../../core/entry/json.js'

const INDEX = /^(0|[1-9]\d*)$/

/**
 * Finds the part of a JSON value at a dotted path of object keys and list indexes; undefined if there is none.
 * If the path leads nowhere, the whole path is tried as one key, since keys may contain dots.
 */
export function partAt(value: unknown, path: string): unknown {
  const found = walk(value, path.split('.'))
  return found === undefined ? step(value, path) : found
}

function walk(value: unknown, segments: readonly string[]): unknown {
  let part = value
  for (const segment of segments) {
    part = step(part, segment)
    if (part === undefined) return undefined
  }
  return part
}

function step(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return INDEX.test(key) ? value[Number(key)] : undefined
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}
