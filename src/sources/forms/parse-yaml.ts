import type { Document, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml'
import type { Json, JsonObject } from '../../core/entry/json.js'
import { isJsonObject } from '../../core/entry/json.js'
import { numberFault } from '../../core/entry/number-fault.js'
import type { Fault, ParsedText, Position, SourceDocument, SourcePath } from './source-document.js'
import { MAX_DEPTH, POSITION_DEPTH, pathKey, setOwn, sourceDocument } from './source-document.js'

/**
 * @bound Values that aliases may stand for in one document: nine lines of aliases to aliases would otherwise fill the
 * memory.
 */
const MAX_ALIASED_VALUES = 100_000
/** @bound Faults of one YAML file that are reported. */
const MAX_FAULTS = 20

/**
 * Byte order marks at the beginning of a document, which YAML allows: before a marker or directive, or before the content
 * behind a marker. Concatenated files have them. A line `---` or `...` never stands within a value.
 */
const DOCUMENT_MARKS =
  /(^\ufeff+)|(?<=^(?:---|\.\.\.)[ \t]*(?:#.*)?\r?\n(?:[ \t]*(?:#.*)?\r?\n)*)\ufeff+|(?<=^---[ \t]+)\ufeff+|^\ufeff+(?=---|%)/gm

const CORE_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
)

class YamlFault extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message)
  }
}

/**
 * Parses YAML 1.2 with the core schema as JSON values: with merge keys, without dates and other tags. A value that JSON cannot
 * represent is a fault with its position. A fault in one document makes the whole file unusable.
 */
export function parseYaml(text: string): ParsedText {
  const lines = new LineCounter()
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  let parsed: readonly Document[]
  try {
    // The library's check for unique keys takes 4 s for 20,000 keys. The walk below checks with a set.
    const documents = parseAllDocuments(text.replace(DOCUMENT_MARKS, ''), {
      version: '1.2',
      schema: 'core',
      merge: false,
      intAsBigInt: true,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
      lineCounter: lines,
    })
    parsed = Array.isArray(documents) ? documents : []
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { documents: [], faults: [{ line: 1, column: 1, message: syntaxMessage(error.message) }] }
  }
  const documents: SourceDocument[] = []
  const faults: Fault[] = []
  for (const document of parsed) {
    const syntax = document.errors[0]
    if (syntax !== undefined) {
      faults.push({ ...at(syntax.pos[0]), message: syntaxMessage(syntax.message) })
      continue
    }
    const version = otherVersion(document)
    if (version !== undefined) {
      faults.push({
        ...at(0),
        message: `YAML ${version} is not supported, because values such as yes and 010 mean something else in it. Write the file for YAML 1.2 and remove the directive %YAML ${version}`,
      })
      continue
    }
    try {
      const positions = new Map<string, Position>()
      const value = new Walk(positions, at).value(document.contents as Node | null, [], 0)
      documents.push(sourceDocument(value, positions))
    } catch (error) {
      if (!(error instanceof YamlFault)) throw error
      faults.push({ ...at(error.offset), message: error.message })
    }
  }
  return faults.length > 0 ? { documents: [], faults: faults.slice(0, MAX_FAULTS) } : { documents, faults }
}

/** The version that a directive `%YAML` names, if it is not 1.2. */
function otherVersion({ directives, warnings }: Document): string | undefined {
  const unknown = warnings.map(({ message }) => /Unsupported YAML version (\S+)/.exec(message)?.[1]).find(Boolean)
  if (unknown !== undefined) return unknown
  const yaml = directives?.yaml
  return yaml?.explicit === true && yaml.version !== '1.2' ? yaml.version : undefined
}

interface Anchored {
  readonly value: Json
  /** Number of values in it, including those of its aliases. */
  readonly size: number
}

class Walk {
  readonly #anchors = new Map<string, Anchored>()
  #size = 0
  #aliased = 0

  constructor(
    readonly positions: Map<string, Position>,
    readonly at: (offset: number) => Position,
  ) {}

  value(node: Node | null, path: SourcePath, depth: number): Json {
    if (node === null) return null
    const offset = node.range?.[0] ?? 0
    if (path.length <= POSITION_DEPTH && path.length === depth) this.positions.set(pathKey(path), this.at(offset))
    if (depth > MAX_DEPTH) throw new YamlFault(`nested deeper than ${MAX_DEPTH} levels`, offset)
    if (isAlias(node)) return this.#alias(node.source, offset)
    if (node.tag !== undefined && !CORE_TAGS.has(node.tag))
      throw new YamlFault(`the tag ${node.tag} is not supported`, offset)
    const before = this.#size++
    const value = isScalar(node)
      ? scalar(node, offset)
      : isMap(node)
        ? this.#map(node, path, depth)
        : isSeq(node)
          ? (node as YAMLSeq<Node | null>).items.map((item, index) =>
              this.value(item, childPath(path, depth, index), depth + 1),
            )
          : unreadable(offset)
    const anchor = (node as Scalar).anchor
    // Set only now, so that an alias within its own anchor is unknown.
    if (anchor !== undefined) this.#anchors.set(anchor, { value, size: this.#size - before })
    return value
  }

  #map(map: YAMLMap, path: SourcePath, depth: number): Json {
    const object: Record<string, Json> = {}
    const seen = new Set<string>()
    const merged: Json[] = []
    for (const pair of map.items as { key: Node | null; value: Node | null }[]) {
      const key = this.#key(pair.key, map.range?.[0] ?? 0)
      if (isMergeKey(pair.key)) {
        merged.push(...this.#merged(pair.value, path, depth))
        continue
      }
      if (seen.has(key)) throw new YamlFault(`duplicate key ${JSON.stringify(key)}`, pair.key?.range?.[0] ?? 0)
      seen.add(key)
      setOwn(object, key, this.value(pair.value, childPath(path, depth, key), depth + 1))
    }
    for (const source of merged as JsonObject[])
      for (const key of Object.keys(source)) if (!Object.hasOwn(object, key)) setOwn(object, key, source[key]!)
    return object
  }

  /** The mappings that a merge key names: one or a list. The keys of the mapping itself win, then those of the first. */
  #merged(node: Node | null, path: SourcePath, depth: number): readonly Json[] {
    const value = this.value(node, childPath(path, depth, '<<'), depth + 1)
    const sources = Array.isArray(value) ? value : [value]
    if (sources.every((source) => isJsonObject(source))) return sources
    throw new YamlFault(
      'the merge key << needs a mapping or a list of mappings. Quote the key if it is meant as text',
      node?.range?.[0] ?? 0,
    )
  }

  /** Keys are text. A number or a boolean is used as written. */
  #key(node: Node | null, mapOffset: number): string {
    if (isScalar(node) && (node.tag === undefined || CORE_TAGS.has(node.tag) || isMergeKey(node))) {
      if (typeof node.value === 'string') return node.value
      if (node.value !== null && node.source !== undefined) return node.source
    }
    throw new YamlFault('a key must be text', node?.range?.[0] ?? mapOffset)
  }

  #alias(name: string, offset: number): Json {
    const anchored = this.#anchors.get(name)
    if (anchored === undefined) throw new YamlFault(`the alias *${name} has no complete anchor before it`, offset)
    this.#aliased += anchored.size
    this.#size += anchored.size
    if (this.#aliased > MAX_ALIASED_VALUES)
      throw new YamlFault(`aliases expand to more than ${MAX_ALIASED_VALUES} values`, offset)
    return anchored.value
  }
}

function isMergeKey(node: Node | null): boolean {
  if (!isScalar(node) || node.value !== '<<') return false
  return node.tag === 'tag:yaml.org,2002:merge' || (node.tag === undefined && node.type === 'PLAIN')
}

function scalar(node: Scalar, offset: number): Json {
  const { value } = node
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'bigint') return integer(node.source ?? String(value), value, offset)
  if (typeof value === 'number') {
    const fault = numberFault(node.source ?? String(value))
    if (fault !== undefined) throw new YamlFault(fault, offset)
    if (!Number.isFinite(value)) throw new YamlFault('not a JSON number', offset)
    return value
  }
  return unreadable(offset)
}

/** Uses the text if it is decimal, so that -0 is preserved. */
function integer(source: string, value: bigint, offset: number): number {
  const decimal = /^[-+]?\d+$/.test(source) ? source : String(value)
  const fault = numberFault(decimal)
  if (fault !== undefined) throw new YamlFault(fault, offset)
  return Number(decimal)
}

function unreadable(offset: number): never {
  throw new YamlFault('not a JSON value', offset)
}

/** Extends a path only to the depth of recorded positions. */
function childPath(path: SourcePath, depth: number, step: string | number): SourcePath {
  return depth < POSITION_DEPTH ? [...path, step] : path
}

/** The library recurses. At about 600 levels the stack overflows, which it reports as a fault or throws. */
function syntaxMessage(message: string): string {
  if (message.includes('call stack')) return 'nested too deeply for YAML. JSON may be nested deeper'
  return message.replace(/\s+/g, ' ').trim()
}
