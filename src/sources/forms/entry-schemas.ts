import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { canonicalJson } from '../../core/entry/canonical-json.js'
import type { Json } from '../../core/entry/json.js'
import { isJsonObject } from '../../core/entry/json.js'
import type { MatchBusPattern } from '../../core/events/bus-pattern.js'
import { compileBusPattern } from '../../core/events/bus-pattern.js'
import { decodeText } from './decode-text.js'
import { parseJson } from './parse-json.js'

/** The value that a schema validates: the whole entry, with meta and data as they will be stored. */
export interface EntryValue {
  readonly id: string
  readonly kind: string
  readonly meta: Json
  readonly data: Json
}

export interface SchemaFault {
  /** RFC 6901 pointer from the entry, for example `/data/port`. Empty for the whole entry. */
  readonly pointer: string
  /** Includes the pointer. */
  readonly message: string
}

/** The text of a schema file. */
export interface SchemaText {
  readonly pattern: string
  readonly path: string
  readonly text: string
}

/** The JSON Schemas of a source, by bus patterns of kinds. */
export interface EntrySchemas {
  readonly texts: readonly SchemaText[]
  /** Changes if any pattern or schema changes. */
  readonly fingerprint: string
  /** The faults of an entry by every schema whose pattern matches its kind; at most ten. */
  faultsOf(entry: EntryValue): readonly SchemaFault[]
}

/** A schema file that cannot be read or is not a schema. */
export class InvalidSchema extends Error {
  override readonly name = 'InvalidSchema'
}

/** @bound Faults of one entry against its schema that are reported. */
const MAX_FAULTS = 10
/** @bound Size of a schema file. */
const MAX_SCHEMA_BYTES = 4 * 1024 * 1024

/**
 * Reads and compiles schemas: JSON Schema draft-07 (the default), 2019-09 or 2020-12.
 * @param paths bus pattern of kinds to the absolute path of its schema file (JSON)
 * @param before the schemas loaded earlier; returned as they are if no file has changed
 * @throws InvalidSchema with the file and the fault
 */
export async function loadSchemas(
  paths: Readonly<Record<string, string>>,
  before?: EntrySchemas,
): Promise<EntrySchemas> {
  const files = await Promise.all(
    Object.entries(paths).map(async ([pattern, path]) => ({ pattern, path, text: await textOf(path) })),
  )
  const hash = createHash('sha256')
  for (const { pattern, text } of files) hash.update(JSON.stringify([pattern, text]))
  const fingerprint = hash.digest('hex')
  if (before?.fingerprint === fingerprint) return before
  return { texts: files, fingerprint, faultsOf: compileSchemas(files) }
}

/** @throws InvalidSchema */
export function compileSchemas(texts: readonly SchemaText[]): EntrySchemas['faultsOf'] {
  const schemas = texts.map(({ pattern, path, text }) => compileSchema(pattern, path, text))
  return (entry) => faultsOf(entry, schemas)
}

interface KindSchema {
  readonly matches: MatchBusPattern
  readonly validate: ValidateFunction
}

function faultsOf(entry: EntryValue, schemas: readonly KindSchema[]): readonly SchemaFault[] {
  const faults = new Map<string, SchemaFault>()
  for (const { matches, validate } of schemas) {
    if (!matches(entry.kind)) continue
    try {
      if (validate(entry)) continue
    } catch (error) {
      // A recursive schema recurses as deep as the entry nests.
      if (!(error instanceof RangeError)) throw error
      return [{ pointer: '', message: 'is nested too deeply to be validated' }]
    }
    for (const fault of (validate.errors ?? []).slice(0, MAX_FAULTS).map(schemaFault)) faults.set(fault.message, fault)
    validate.errors = null
  }
  return [...faults.values()].slice(0, MAX_FAULTS)
}

function schemaFault({ instancePath, keyword, message, params }: ErrorObject): SchemaFault {
  const { additionalProperty, allowedValue, allowedValues } = params as Record<string, unknown>
  const detail =
    additionalProperty !== undefined
      ? `: ${JSON.stringify(additionalProperty)}`
      : keyword === 'enum' || keyword === 'const'
        ? `: ${JSON.stringify(allowedValues ?? allowedValue)}`
        : ''
  const text = `${message ?? keyword}${detail}`
  return { pointer: instancePath, message: `${instancePath === '' ? 'the entry' : instancePath} ${shortened(text)}` }
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text
}

async function textOf(path: string): Promise<string> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw new InvalidSchema(`The schema ${path} cannot be read: ${(error as Error).message}`)
  }
  if (bytes.length > MAX_SCHEMA_BYTES)
    throw new InvalidSchema(
      `The schema ${path} has ${bytes.length} bytes, more than the maximum of ${MAX_SCHEMA_BYTES}`,
    )
  const decoded = decodeText(bytes)
  if ('badLine' in decoded) throw new InvalidSchema(`${path}:${decoded.badLine}: the schema is not UTF-8 text`)
  return decoded.text
}

const AJV_OPTIONS: Options = {
  allErrors: true,
  // The specification says to ignore keywords of other tools (`x-…`).
  strict: false,
  // Without it every object fulfils `required: [constructor]`.
  ownProperties: true,
  logger: false,
}

const DRAFTS: readonly (readonly [RegExp, () => Ajv])[] = [
  [/^https?:\/\/json-schema\.org\/draft-07\/schema#?$/, () => new Ajv(AJV_OPTIONS)],
  [/^https:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, () => new Ajv2019(AJV_OPTIONS)],
  [/^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, () => new Ajv2020(AJV_OPTIONS)],
]

function compileSchema(pattern: string, path: string, text: string): KindSchema {
  const { documents, faults } = parseJson(text)
  if (faults[0] !== undefined)
    throw new InvalidSchema(`${path}:${faults[0].line}:${faults[0].column}: ${faults[0].message}`)
  const schema = documents[0]!.value
  if (!isJsonObject(schema) && typeof schema !== 'boolean')
    throw new InvalidSchema(`${path}: a JSON Schema must be an object or a boolean`)
  const draft = isJsonObject(schema)
    ? (schema['$schema'] ?? 'http://json-schema.org/draft-07/schema#')
    : 'http://json-schema.org/draft-07/schema#'
  const make = DRAFTS.find(([name]) => typeof draft === 'string' && name.test(draft))?.[1]
  if (make === undefined)
    throw new InvalidSchema(`${path}: unknown $schema ${JSON.stringify(draft)}. Supported: draft-07, 2019-09, 2020-12`)
  try {
    return { matches: compileBusPattern(pattern), validate: prepared(make()).compile(schema) }
  } catch (error) {
    throw new InvalidSchema(`${path}: ${(error as Error).message}`)
  }
}

function prepared(ajv: Ajv): Ajv {
  formats.default(ajv)
  // Ajv's keyword compares every pair. For 100,000 objects, which an entry may have, that takes minutes.
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must NOT have duplicate items' },
    validate: (wanted: boolean, items: readonly Json[]) =>
      !wanted || new Set(items.map(canonicalJson)).size === items.length,
  })
  return ajv
}
