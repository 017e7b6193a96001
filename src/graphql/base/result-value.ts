import { randomUUID } from 'node:crypto'
import type { Json } from '../../core/entry/json.js'
import { holdsNegativeZero, withMarks, withoutMarks } from '../../core/entry/negative-zero.js'
import { WrittenResult } from './written-result.js'

/*
 * A result is written by `JSON.stringify`, which loses -0: a text that nobody can foresee stands for it in the
 * result, and `resultText` (or, where a transport writes by itself, `resultTextOf`) takes it back.
 */
const MARK = `\u0000-0 ${randomUUID()}`

/** A part of a content as a result is to hold it; `text` is the whole content's JSON. */
export function resultValue<Value>(value: Value, text: string): Value {
  if (!text.includes('-0') || value === undefined) return value
  return (holdsNegativeZero(value as Json) ? withMarks(value as Json, MARK) : value) as Value
}

/** The JSON text of a result. */
export function resultText(result: unknown): string {
  return result instanceof WrittenResult ? result.text : resultTextOf(JSON.stringify(result))
}

/** As `resultText`, where `JSON.stringify` has been called already. */
export function resultTextOf(text: string): string {
  return withoutMarks(text, MARK)
}
