import type { Json } from '../../core/entry/json.js'
import { isJsonObject } from '../../core/entry/json.js'
import { FileFault } from '../forms/file-fault.js'
import { parseJson } from '../forms/parse-json.js'
import { type Definition, setOwn } from '../forms/source-document.js'

const SCHEME = 'file://'

/** Reads the text of a referenced file. @throws FileFault */
export type ReadText = (reference: string) => Promise<string>

/** References from entries to files: `file://…` as a value, `$text(…)` and `$json(…)` in a mapping. */
export class FileReferences {
  constructor(private readonly read: ReadText) {}

  /** The functions `$text` and `$json` of mappings. */
  readonly bindings = {
    text: (reference: unknown) => this.read(referenceOf(reference)),
    json: async (reference: unknown) => {
      const path = referenceOf(reference)
      const { documents, faults } = parseJson(await this.read(path))
      if (faults[0] !== undefined)
        throw new FileFault(`${path}:${faults[0].line}:${faults[0].column}: ${faults[0].message}`)
      return documents[0]!.value
    },
  }

  /** Replaces values `file://path` in meta and data by the text of the files. */
  async complete(
    definition: Definition,
  ): Promise<{ readonly definition: Definition } | { readonly faults: readonly string[] }> {
    const references = new Set<string>()
    collect([definition.meta, definition.data], references)
    if (references.size === 0) return { definition }
    const texts = new Map<string, string>()
    const faults: string[] = []
    for (const reference of references) {
      try {
        texts.set(reference, await this.read(reference.slice(SCHEME.length)))
      } catch (error) {
        if (!(error instanceof FileFault)) throw error
        faults.push(error.message)
      }
    }
    if (faults.length > 0) return { faults: faults.slice(0, 10) }
    const [meta, data] = [definition.meta, definition.data].map((value) =>
      replaced(value as Json | undefined, texts, new Map()),
    )
    return { definition: { ...definition, meta, data } }
  }
}

function referenceOf(value: unknown): string {
  if (typeof value !== 'string') throw new FileFault('the path of a file must be text')
  return value.startsWith(SCHEME) ? value.slice(SCHEME.length) : value
}

/** Uses an explicit stack, because values nest deeply, and a mapping may even create cycles. */
function collect(root: unknown, references: Set<string>): void {
  const stack = [root]
  const seen = new Set<object>()
  while (stack.length > 0) {
    const value = stack.pop()
    if (typeof value === 'string' && value.startsWith(SCHEME)) references.add(value)
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    for (const child of Object.values(value)) stack.push(child)
  }
}

/** Values that occur in several places (YAML aliases) stay shared. */
function replaced(
  value: Json | undefined,
  texts: ReadonlyMap<string, string>,
  done: Map<object, Json>,
): Json | undefined {
  if (typeof value === 'string') return texts.get(value) ?? value
  if (typeof value !== 'object' || value === null) return value
  const known = done.get(value)
  if (known !== undefined) return known
  const copy: Json = Array.isArray(value) ? [] : {}
  done.set(value, copy)
  if (isJsonObject(value))
    for (const key of Object.keys(value)) setOwn(copy as Record<string, Json>, key, replaced(value[key], texts, done)!)
  else for (const item of value) (copy as Json[]).push(replaced(item, texts, done)!)
  return copy
}
