import { randomUUID } from 'node:crypto'
import type { Json } from '../../core/entry/json.js'
import { holdsNegativeZero, withMarks, withoutMarks } from '../../core/entry/negative-zero.js'
import { SerializedResult } from './serialized-result.js'

/*
 * `JSON.stringify` writes -0 as 0. Results therefore hold an unguessable mark instead of -0, and `resultText`
 * replaces it in the JSON text. Transports that call `JSON.stringify` themselves use `restoreNegativeZeros`.
 */
const MARK = `\u0000-0 ${randomUUID()}`

/**
 * Replaces every -0 in a value by the mark.
 * @param text - JSON text that contains the value; without `-0` in it, the value is not walked
 */
export function markNegativeZeros<Value>(value: Value, text: string): Value {
  if (!text.includes('-0') || value === undefined) return value
  return (holdsNegativeZero(value as Json) ? withMarks(value as Json, MARK) : value) as Value
}

/** Writes a result as JSON text. */
export function resultText(result: unknown): string {
  return result instanceof SerializedResult ? result.text : restoreNegativeZeros(JSON.stringify(result))
}

/** Replaces the marks in a JSON text by -0. */
export function restoreNegativeZeros(text: string): string {
  return withoutMarks(text, MARK)
}
