import { Kind, type ValueNode } from 'graphql'
import type { SubmittedId } from '../../core/entry/entry-id.js'
import { isJsonObject } from '../../core/entry/json.js'
import { builder } from '../base/builder.js'
import { badInput } from '../base/graphql-errors.js'
import { StoredJson } from '../results/stored-json.js'
import { literalValue, UNKNOWN_VALUE } from './literal-value.js'
import { parseDateTime } from './parse-date-time.js'

/*
 * Scalars read inputs; what goes out is handed on as it is and never walked: data may be a megabyte deep.
 * Errors carry their code here, because graphql-js coerces variables before any resolver of ours runs.
 */

builder.scalarType('EntryID', {
  description: 'An entry\'s natural key, "namespace:name". As an input also an object, {ns, name}.',
  serialize: (id) => id,
  parseValue: parseSubmittedId,
  parseLiteral: (node, variables) => parseSubmittedId(literalValue(node, variables)),
})

builder.scalarType('JSON', {
  description: 'Any JSON value. It comes out as it went in: the order of keys and every double are kept.',
  serialize: (value) => (value instanceof StoredJson ? value.value() : value),
  parseValue: (value) => value,
  parseLiteral: literalValue,
})

builder.scalarType('JSONObject', {
  description: 'A JSON object.',
  serialize: (value) => value,
  parseValue: parseJsonObject,
  parseLiteral: (node, variables) => parseJsonObject(literalValue(node, variables)),
})

builder.scalarType('SafeInt', {
  description: 'An integer of at most 2^53 - 1 in size: every one of them is a double of its own.',
  serialize: (value) => value,
  parseValue: parseSafeInt,
  parseLiteral: (node) => parseSafeInt(numberLiteral(node)),
})

builder.scalarType('DateTime', {
  description: 'An instant in RFC 3339. Given out in UTC with milliseconds, taken with any offset.',
  serialize: (date) => date.toISOString() as unknown as Date,
  parseValue: parseTime,
  parseLiteral: (node) => parseTime(node.kind === Kind.STRING ? node.value : null),
})

/** Only the JSON type is checked: an id that breaks the rules may be one problem of a changeset among others. */
function parseSubmittedId(value: unknown): SubmittedId {
  if (typeof value === 'string') return value
  if (isJsonObject(value) && Object.keys(value).length === 2 && isText(value['ns']) && isText(value['name'])) {
    return { ns: value['ns'] as string, name: value['name'] as string }
  }
  throw badInput('An EntryID is a string "namespace:name" or an object {ns, name} of two strings')
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || value === UNKNOWN_VALUE
}

function parseJsonObject(value: unknown): Readonly<Record<string, unknown>> {
  if (isJsonObject(value)) return value
  throw badInput('A JSONObject is an object, not a list, text, number, boolean or null')
}

function parseSafeInt(value: unknown): number {
  // The sum makes -0 a plain 0.
  if (Number.isSafeInteger(value)) return (value as number) + 0
  throw badInput('A SafeInt is an integer between -(2^53 - 1) and 2^53 - 1')
}

function numberLiteral(node: ValueNode): unknown {
  return node.kind === Kind.INT || node.kind === Kind.FLOAT ? Number(node.value) : undefined
}

function parseTime(value: unknown): Date {
  if (typeof value !== 'string') throw badInput('A DateTime is a string in RFC 3339, e.g. "2026-01-31T12:00:00Z"')
  return parseDateTime(value)
}
