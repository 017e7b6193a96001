/** Media types of responses. */
export const RESPONSE_TYPES = ['application/json', 'application/graphql-response+json', 'text/event-stream'] as const
export type ResponseType = (typeof RESPONSE_TYPES)[number]

/**
 * Returns the type that a client prefers: by weight, then by order. Wildcards and a missing header mean JSON. Returns
 * undefined if the client accepts none of the types.
 */
export function responseType(accept: string | undefined): ResponseType | undefined {
  if (accept === undefined || accept === 'application/json' || accept === '*/*' || accept.trim() === '')
    return 'application/json'
  const ranges = accept
    .split(',')
    .map(parseRange)
    .filter(({ weight }) => weight > 0)
  // Sorting is stable, so the first of equal weight wins.
  for (const { range } of ranges.sort((a, b) => b.weight - a.weight)) {
    if (range === '*/*' || range === 'application/*') return 'application/json'
    if (range === 'text/*') return 'text/event-stream'
    const known = RESPONSE_TYPES.find((type) => type === range)
    if (known !== undefined) return known
  }
  return undefined
}

/** Whether a client accepts multipart subscriptions, as Apollo's clients do. */
export function acceptsMultipart(accept: string | undefined): boolean {
  return accept?.split(',').some((range) => MULTIPART_RANGE.test(range) && parseRange(range).weight > 0) === true
}

const MULTIPART_RANGE = /^\s*multipart\/mixed\s*;(?=.*subscriptionspec\s*=\s*"?1\.0"?\s*(;|$))/i

function parseRange(text: string): { range: string; weight: number } {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return { range, weight: 0 }
  const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
  return { range, weight: Number.isNaN(weight) ? 1 : weight }
}

/** Whether a body is JSON in UTF-8. */
export function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  return type === 'application/json' && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))
}
