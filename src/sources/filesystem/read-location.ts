import { extname } from 'node:path'
import type { SealRules } from '../../core/seal-content.js'
import { decodeText } from '../decode-text.js'
import { giveEntries, type Given } from '../give-entries.js'
import { PARSERS, sealRules, type SourceFailure } from '../parse-entry.js'
import type { ReadForm } from '../source-form.js'
import type { Scanned } from '../source-reader.js'
import type { EntrySchemas } from '../validate.js'
import type { IncludedFiles } from './included-files.js'
import type { FilesystemLimits } from './limits.js'
import { contentHash, type FileContent } from './read-inside.js'
import { writeStamp } from './stamp.js'

/** What one scan reads by. */
export interface ReadingRules {
  /** Of the form, the schemas and the limits: what was read by others has to be read again. */
  readonly by: string
  readonly form: ReadForm
  readonly schemas: EntrySchemas
  readonly seal: SealRules
  readonly limits: FilesystemLimits
}

export function readingRules(by: string, form: ReadForm, schemas: EntrySchemas, limits: FilesystemLimits): ReadingRules {
  return { by, form, schemas, seal: sealRules(limits.entryBytes), limits }
}

export type Read = Extract<Scanned, { unchanged: false }>

/** What a file gives. Whatever its content, this does not throw. */
export async function readLocation(location: string, content: FileContent, included: IncludedFiles, rules: ReadingRules): Promise<Read> {
  const { entries, failures } = await given(location, content.bytes, included, rules)
  const { signature, fresh, modifiedAt } = content.look
  const latest = included.modifiedAt !== null && included.modifiedAt > modifiedAt ? included.modifiedAt : modifiedAt
  const stamp = writeStamp({ by: rules.by, signature: fresh ? '' : signature, hash: contentHash(content.bytes), included: included.stamps })
  return { location, unchanged: false, stamp, modifiedAt: latest, entries, failures }
}

async function given(location: string, bytes: Buffer, included: IncludedFiles, rules: ReadingRules): Promise<Given> {
  const decoded = decodeText(bytes)
  if ('badLine' in decoded) return { entries: [], failures: [failureAt(location, 'is not UTF-8 text', decoded.badLine)] }
  try {
    const parsed = PARSERS[extname(location).toLowerCase()]!(decoded.text)
    const { form, schemas, seal } = rules
    return await giveEntries(location, parsed, {
      form, schemas, seal, withLines: true, bindings: included.bindings, complete: (definition) => included.complete(definition),
    })
  } catch (error) {
    // A parser that comes upon what nobody thought of: one file must not stop the others.
    return { entries: [], failures: [failureAt(location, `cannot be read: ${(error as Error).message}`)] }
  }
}

function failureAt(file: string, message: string, line: number | null = null): SourceFailure {
  return { file, line, column: null, entryId: null, message }
}

/** A location that gives nothing but the reason why. */
export function failed(location: string, message: string): Read {
  return { location, unchanged: false, stamp: '', modifiedAt: null, entries: [], failures: [failureAt(location, message)] }
}
