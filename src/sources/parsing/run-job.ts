import { extname } from 'node:path'
import type { Json } from '../../core/entry/json.js'
import type { SealRules } from '../../core/entry/seal-content.js'
import type { SourceFailure } from '../contract/source-failure.js'
import { checkDefinitions } from '../forms/check-definitions.js'
import { compileSchemas, type EntrySchemas } from '../forms/entry-schemas.js'
import { NotAList, type PageForm, pageEntries, pageForm } from '../forms/page-entries.js'
import { PARSERS, sealRules } from '../forms/parse-entries.js'
import { parseJson } from '../forms/parse-json.js'
import type { Fault } from '../forms/source-document.js'
import { compileForm, type ReadForm } from '../forms/source-form.js'
import { FileReferences, type ReadText } from './file-references.js'
import { type PackedResult, type ParseJob, type ParsingRules, packEntry, unpackEntry } from './parse-job.js'

const LONGEST_PATH = 200

/** Compiled rules. */
export interface CompiledRules {
  readonly form: ReadForm
  /** Whether values `file://…` stand for files. In a mapping they are text of the foreign file. */
  readonly resolvesFiles: boolean
  readonly page: PageForm
  readonly seal: SealRules
  readonly schemas: Pick<EntrySchemas, 'faultsOf'>
}

export function compileRules({ form, schemas, entryBytes }: ParsingRules): CompiledRules {
  return {
    form: compileForm(form),
    resolvesFiles: typeof form === 'string',
    page: pageForm(form),
    seal: sealRules(entryBytes),
    schemas: { faultsOf: compileSchemas(schemas) },
  }
}

/** Runs a job. It never throws, whatever the content of the text. */
export async function runJob(job: ParseJob, rules: CompiledRules, read: ReadText): Promise<PackedResult> {
  try {
    return await RUN[job.type](job as never, rules, read)
  } catch (error) {
    // An unexpected error of a parser must not stop the other files.
    return bad(job.location, `cannot be read: ${(error as Error).message}`)
  }
}

type Run = {
  readonly [Type in ParseJob['type']]: (
    job: Extract<ParseJob, { type: Type }>,
    rules: CompiledRules,
    read: ReadText,
  ) => Promise<PackedResult>
}

const RUN: Run = {
  async file({ location, text }, { form, resolvesFiles, schemas, seal }, read) {
    const references = new FileReferences(read)
    const { entries, failures } = await checkDefinitions(location, PARSERS[extname(location).toLowerCase()]!(text), {
      form,
      schemas,
      seal,
      withLines: true,
      bindings: references.bindings,
      ...(resolvesFiles && { complete: (definition) => references.complete(definition) }),
    })
    return { entries: entries.map(packEntry), failures }
  },
  async page({ location, text }, { page, schemas, seal }) {
    const { documents, faults } = parseJson(text)
    const [fault] = faults
    if (documents[0] === undefined) return bad(location, pageFault(fault!), fault!)
    try {
      const { entries, failures } = await pageEntries(location, documents[0], page, { schemas, seal })
      return { entries: entries.map(packEntry), failures }
    } catch (error) {
      if (!(error instanceof NotAList)) throw error
      return bad(location, error.message)
    }
  },
  check({ location, entries }, { schemas }) {
    const failures: SourceFailure[] = []
    const fit = entries.filter((packed) => {
      const {
        id,
        line,
        content: { kind, meta, data },
      } = unpackEntry(packed)
      const faults = schemas.faultsOf({ id, kind, meta: meta as Json, data })
      for (const { message } of faults) failures.push({ file: location, line, column: null, entryId: id, message })
      return faults.length === 0
    })
    return Promise.resolve({ entries: fit, failures })
  },
}

/** A registry's page has no lines that its author knows, so the path of a value matters more. */
function pageFault({ message, path }: Fault): string {
  if (path === undefined) return `is not JSON: ${message}`
  return path === '' ? message : `${shortPath(path)}: ${message}`
}

function shortPath(path: string): string {
  return path.length <= LONGEST_PATH ? path : `…${path.slice(1 - LONGEST_PATH)}`
}

function bad(
  file: string,
  message: string,
  place: { readonly line: number; readonly column: number } | null = null,
): PackedResult {
  return {
    entries: [],
    failures: [{ file, line: place?.line ?? null, column: place?.column ?? null, entryId: null, message }],
    isBad: true,
  }
}
