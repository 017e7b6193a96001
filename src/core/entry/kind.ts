/** @bound Length of a kind. */
export const MAX_KIND_BYTES = 255
const KIND = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/

/** The fault of a kind, for the caller; undefined if it is valid. */
export function kindFault(kind: string): string | undefined {
  if (kind.length > MAX_KIND_BYTES) return `the kind has more than ${MAX_KIND_BYTES} bytes`
  if (!KIND.test(kind)) {
    const shown = kind.length > 80 ? `${kind.slice(0, 77)}…` : kind
    return `"${shown}" is not a kind: segments of letters, digits, _ and -, joined by dots`
  }
  return undefined
}
