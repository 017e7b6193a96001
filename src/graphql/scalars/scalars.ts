import { Kind, type ValueNode } from 'graphql'
import type { SubmittedId } from '../../core/entry/entry-id.js'
import { isJsonObject } from '../../core/entry/json.js'
import { builder } from '../base/builder.js'
import { badInput } from '../base/graphql-errors.js'
import { StoredJson } from '../results/stored-json.js'
import { literalValue, UNKNOWN_VALUE } from './literal-value.js'
import { parseDateTime } from './parse-date-time.js'

/*
 * Scalars check inputs. Outputs pass through without a walk, since data may be a megabyte deep.
 * Errors get their code here, because graphql-js coerces variables before any resolver runs.
 */

builder.scalarType('EntryID', {
  description:
    'The id of an entry, e.g. "shop:cart". The namespace ends at the first colon. Inputs also accept an object: {ns: "shop", name: "cart"}.',
  serialize: (id) => id,
  parseValue: parseSubmittedId,
  parseLiteral: (node, variables) => parseSubmittedId(literalValue(node, variables)),
})

builder.scalarType('JSON', {
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  description:
    'Any JSON value. It is returned as it was sent, including `-0` and every double to its last bit. Keys have the order of JavaScript objects: whole numbers from 0 to 4294967294, such as "2", come first and ascend, and all other keys keep their order. The last of several equal keys counts. Numbers that a double cannot hold, such as 9007199254740993, 1e400 and 1e-400, are refused.',
  serialize: (value) => (value instanceof StoredJson ? value.value() : value),
  parseValue: (value) => value,
  parseLiteral: literalValue,
})

builder.scalarType('JSONObject', {
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259#section-4',
  description: 'A JSON object: not a list, string, number, boolean or null.',
  serialize: (value) => value,
  parseValue: parseJsonObject,
  parseLiteral: (node, variables) => parseJsonObject(literalValue(node, variables)),
})

builder.scalarType('SafeInt', {
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259#section-6',
  description:
    'An integer between -(2^53 - 1) and 2^53 - 1, the range that a double (a JavaScript number) represents exactly.',
  serialize: (value) => value,
  parseValue: parseSafeInt,
  parseLiteral: (node) => parseSafeInt(numberLiteral(node)),
})

builder.scalarType('DateTime', {
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  description:
    'An RFC 3339 time, e.g. "2026-01-31T12:00:00.000Z". Outputs are in UTC with milliseconds; inputs may have any offset.',
  serialize: (date) => date.toISOString() as unknown as Date,
  parseValue: parseTime,
  parseLiteral: (node) => parseTime(node.kind === Kind.STRING ? node.value : null),
})

/** Checks only the JSON type: in a changeset, an id that breaks the rules is one problem among others. */
function parseSubmittedId(value: unknown): SubmittedId {
  if (typeof value === 'string') return value
  if (
    isJsonObject(value) &&
    Object.keys(value).length === 2 &&
    isStringOrUnknown(value['ns']) &&
    isStringOrUnknown(value['name'])
  ) {
    return { ns: value['ns'] as string, name: value['name'] as string }
  }
  throw badInput('An EntryID must be a string "namespace:name" or an object {ns, name} of two strings')
}

function isStringOrUnknown(value: unknown): boolean {
  return typeof value === 'string' || value === UNKNOWN_VALUE
}

function parseJsonObject(value: unknown): Readonly<Record<string, unknown>> {
  if (isJsonObject(value)) return value
  throw badInput('A JSONObject must be an object, not a list, string, number, boolean or null')
}

function parseSafeInt(value: unknown): number {
  // Adding 0 turns -0 into 0.
  if (Number.isSafeInteger(value)) return (value as number) + 0
  throw badInput('A SafeInt must be an integer between -(2^53 - 1) and 2^53 - 1')
}

function numberLiteral(node: ValueNode): unknown {
  return node.kind === Kind.INT || node.kind === Kind.FLOAT ? Number(node.value) : undefined
}

function parseTime(value: unknown): Date {
  if (typeof value !== 'string') throw badInput('A DateTime must be an RFC 3339 string such as "2026-01-31T12:00:00Z"')
  return parseDateTime(value)
}
