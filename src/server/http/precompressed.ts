import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** A form of a file that the build has compressed. */
export interface Precompressed {
  /** As in `content-encoding`. */
  readonly encoding: 'br' | 'gzip'
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

/** The first of these forms that a client accepts by its `accept-encoding`. */
export function acceptedForm(forms: readonly Precompressed[], accepted: string | undefined): Precompressed | undefined {
  if (accepted === undefined) return undefined
  const weights = new Map<string, number>()
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    weights.set(name, weight === undefined ? 1 : Number(weight.slice('q='.length)))
  }
  return forms.find(({ encoding }) => (weights.get(encoding) ?? weights.get('*') ?? 0) > 0)
}
