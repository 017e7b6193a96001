/** A compression that answers and files are sent in, as in `content-encoding`. */
export type ContentEncoding = 'br' | 'gzip'

/**
 * The encoding that a client likes best by its `accept-encoding`: the highest weight, and of equal ones the first that is
 * offered. Undefined if it accepts none, or likes the plain form better.
 */
export function acceptedEncoding(
  offered: readonly ContentEncoding[],
  accepted: string | undefined,
): ContentEncoding | undefined {
  if (accepted === undefined || offered.length === 0) return undefined
  const weights = weightsOf(accepted)
  let best: ContentEncoding | undefined
  let weight = 0
  for (const encoding of offered) {
    const own = weights.get(encoding) ?? weights.get('*') ?? 0
    if (own > weight) [best, weight] = [encoding, own]
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
