import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { acceptedEncoding, type ContentEncoding } from '../compression/accepted-encoding.js'

/** A form of a file that the build has compressed. */
export interface Precompressed {
  /** As in `content-encoding`. */
  readonly encoding: ContentEncoding
  readonly suffix: '.br' | '.gz'
}

/** In the order of preference. */
const FORMS: readonly Precompressed[] = [
  { encoding: 'br', suffix: '.br' },
  { encoding: 'gzip', suffix: '.gz' },
]

/** Paths of the build's own files. They contain nothing that `send` would decode. */
const PLAIN = /^(?:\/[\w-][\w.-]*)+$/

/** The compressed forms that a file of the folder has. */
export function formsOf(folder: string, path: string): readonly Precompressed[] {
  return PLAIN.test(path) ? FORMS.filter(({ suffix }) => existsSync(join(folder, path + suffix))) : []
}

/** The form that a client likes best; undefined if that is the plain file. */
export function acceptedForm(forms: readonly Precompressed[], accepted: string | undefined): Precompressed | undefined {
  const encoding = acceptedEncoding(
    forms.map((form) => form.encoding),
    accepted,
  )
  return forms.find((form) => form.encoding === encoding)
}
