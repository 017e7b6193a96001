import { runAtOnce, type Steps } from '../../core/algorithms/steps.js'
import type { SealedContent } from '../../core/entry/entry.js'
import type { EntryId, SubmittedId } from '../../core/entry/entry-id.js'
import { InvalidEntryId, namespaceOf, parseEntryId } from '../../core/entry/entry-id.js'
import { isJsonObject } from '../../core/entry/json.js'
import type { SealRules } from '../../core/entry/seal-content.js'
import { sealContent } from '../../core/entry/seal-content.js'
import { sha256 } from '../../store/planning/sha256.js'
import type { SourceFailure } from '../contract/source-failure.js'
import { readEntryForm } from './entry-form.js'
import { parseJson, parseJsonLines } from './parse-json.js'
import { parseYaml } from './parse-yaml.js'
import type { Definition, Fault, FormReading, ParsedText, SourceDocument } from './source-document.js'
import { readWippyForm } from './wippy-form.js'

/** An entry that a file defines, checked as far as possible without a registry. */
export interface SourceEntry {
  readonly id: EntryId
  readonly content: SealedContent
  /** Path of the file, relative to the path that was read. */
  readonly file: string
  readonly line: number
}

export interface FileReading {
  readonly entries: readonly SourceEntry[]
  readonly failures: readonly SourceFailure[]
  /** Namespaces that the file declares. */
  readonly namespaces: ReadonlySet<string>
  /** Number of documents of another form, which are skipped. */
  readonly passedOver: number
}

/** The parsers by file extension. */
export const PARSERS: Readonly<Record<string, (text: string) => ParsedText>> = {
  '.yaml': parseYaml,
  '.yml': parseYaml,
  '.json': parseJson,
  '.jsonl': parseJsonLines,
}

const FORMS: readonly ((document: SourceDocument) => FormReading | undefined)[] = [readWippyForm, readEntryForm]

/** The rules of a gateway. The command line has no size limit, because the gateway's limit is configurable. */
export function sealRules(maxEntryBytes: number): SealRules {
  return { sha256, maxDepth: 1_000, maxEntryBytes }
}

const SEAL_RULES = sealRules(Number.MAX_SAFE_INTEGER)

/** Parses the entries of a file. Each document may have its own form. */
export function parseEntries(file: string, text: string, parse: (text: string) => ParsedText): FileReading {
  const { documents, faults } = parse(text)
  const entries: SourceEntry[] = []
  const failures: SourceFailure[] = faults.map((fault) => failureOf(file, fault))
  const namespaces = new Set<string>()
  let passedOver = 0
  for (const document of documents) {
    const reading = readDocument(document)
    if (reading === undefined) passedOver++
    if (reading?.namespace !== undefined) namespaces.add(reading.namespace.normalize('NFC'))
    for (const fault of reading?.faults ?? []) failures.push(failureOf(file, fault))
    for (const definition of reading?.definitions ?? []) {
      const checked = runAtOnce(checkDefinition(definition, SEAL_RULES))
      if ('content' in checked) {
        entries.push({ ...checked, file, line: definition.position.line })
        namespaces.add(namespaceOf(checked.id))
      } else {
        const id = shownId(definition.id)
        for (const message of checked.faults) failures.push(failureOf(file, { ...definition.position, message }, id))
      }
    }
  }
  return { entries, failures, namespaces, passedOver }
}

function readDocument(document: SourceDocument): FormReading | undefined {
  for (const form of FORMS) {
    const reading = form(document)
    if (reading !== undefined) return reading
  }
  return undefined
}

/** A definition that is a valid entry, or its faults. */
export type CheckedDefinition =
  | { readonly id: EntryId; readonly content: SealedContent }
  | { readonly faults: readonly string[] }

/** Checks a definition as far as possible without a registry, and seals its content. */
export function* checkDefinition({ id, kind, meta, data }: Definition, rules: SealRules): Steps<CheckedDefinition> {
  const faults: string[] = []
  let entryId: EntryId | undefined
  try {
    if (isSubmittedId(id)) entryId = parseEntryId(id)
    else faults.push(id === undefined ? 'the entry has no name or id' : 'the id or name of an entry must be text')
  } catch (error) {
    if (!(error instanceof InvalidEntryId)) throw error
    faults.push(error.message)
  }
  if (typeof kind !== 'string') {
    faults.push(kind === undefined || kind === null ? 'the entry has no kind' : 'the kind of an entry must be text')
    return { faults }
  }
  const sealed = yield* sealContent({ kind, meta, data }, rules)
  if ('faults' in sealed) return { faults: [...faults, ...sealed.faults.map(({ message }) => message)] }
  return entryId === undefined ? { faults } : { id: entryId, content: sealed.content }
}

function isSubmittedId(id: unknown): id is SubmittedId {
  return typeof id === 'string' || (isJsonObject(id) && typeof id['ns'] === 'string' && typeof id['name'] === 'string')
}

/** An id as written but normalized as valid ids are, because it also protects its entry. Null if it cannot be shown. */
export function shownId(id: unknown): string | null {
  if (!isSubmittedId(id)) return null
  return (typeof id === 'string' ? id : `${id.ns}:${id.name}`).normalize('NFC')
}

function failureOf(file: string, { line, column, message }: Fault, entryId: string | null = null): SourceFailure {
  return { file, line, column, entryId, message }
}

/** `file:line:column: id: message`. Editors can jump to this format of compilers. */
export function failureText({ file, line, column, entryId, message }: SourceFailure): string {
  return `${[file, line, column].filter((part) => part !== null).join(':')}: ${entryId === null ? '' : `${entryId}: `}${message}`
}
