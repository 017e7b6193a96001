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

/**
 * The form that a client likes best by its `accept-encoding`: the highest weight, and of equal ones the first. The plain
 * file is sent only if no form is accepted, or if it has a higher weight of its own.
 */
export function acceptedForm(forms: readonly Precompressed[], accepted: string | undefined): Precompressed | undefined {
  if (accepted === undefined || forms.length === 0) return undefined
  const weights = weightsOf(accepted)
  let best: Precompressed | undefined
  let weight = 0
  for (const form of forms) {
    const own = weights.get(form.encoding) ?? weights.get('*') ?? 0
    if (own > weight) [best, weight] = [form, own]
  }
  return (weights.get('identity') ?? 0) > weight ? undefined : best
}

/** The encodings that the header names. A weight that cannot be read is 0. */
function weightsOf(accepted: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>()
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice('q='.length)
    weights.set(name === 'x-gzip' ? 'gzip' : name, weight === undefined ? 1 : Number(weight) || 0)
  }
  return weights
}
