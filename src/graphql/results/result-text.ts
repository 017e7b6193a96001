import { randomUUID } from 'node:crypto'
import type { Json } from '../../core/entry/json.js'
import { holdsNegativeZero, withMarks, withoutMarks } from '../../core/entry/negative-zero.js'
import { SerializedResult } from './serialized-result.js'

/*
 * A result is written by `JSON.stringify`, which loses -0: a text that nobody can foresee stands for it in the
 * result, and `resultText` (or, where a transport writes by itself, `restoreNegativeZeros`) takes it back.
 */
const MARK = `\u0000-0 ${randomUUID()}`

/** A part of a content as a result is to hold it; `text` is the whole content's JSON. */
export function markNegativeZeros<Value>(value: Value, text: string): Value {
  if (!text.includes('-0') || value === undefined) return value
  return (holdsNegativeZero(value as Json) ? withMarks(value as Json, MARK) : value) as Value
}

/** The JSON text of a result. */
export function resultText(result: unknown): string {
  return result instanceof SerializedResult ? result.text : restoreNegativeZeros(JSON.stringify(result))
}

/** As `resultText`, where `JSON.stringify` has been called already. */
export function restoreNegativeZeros(text: string): string {
  return withoutMarks(text, MARK)
}
