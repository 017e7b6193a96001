/** How an answer may be written. */
export const RESPONSE_TYPES = ['application/json', 'application/graphql-response+json', 'text/event-stream'] as const
export type ResponseType = (typeof RESPONSE_TYPES)[number]

/**
 * The answer a client would rather have: by weight, then by the order in which it named them. `*` and nothing
 * at all mean JSON. Undefined where it accepts none of ours.
 */
export function responseType(accept: string | undefined): ResponseType | undefined {
  if (accept === undefined || accept === 'application/json' || accept === '*/*' || accept.trim() === '')
    return 'application/json'
  const ranges = accept
    .split(',')
    .map(parseRange)
    .filter(({ weight }) => weight > 0)
  // Sorting is stable: of equal weight the first named wins.
  for (const { range } of ranges.sort((a, b) => b.weight - a.weight)) {
    if (range === '*/*' || range === 'application/*') return 'application/json'
    if (range === 'text/*') return 'text/event-stream'
    const known = RESPONSE_TYPES.find((type) => type === range)
    if (known !== undefined) return known
  }
  return undefined
}

function parseRange(text: string): { range: string; weight: number } {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return { range, weight: 0 }
  const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
  return { range, weight: Number.isNaN(weight) ? 1 : weight }
}

/** Whether a body's type is one we read: JSON, in UTF-8. */
export function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  return type === 'application/json' && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))
}
