/** The state of a page that was fully applied. */
export interface PageStamp {
  readonly etag: string | null
  /** URL of its successor at that time, because a 304 response need not repeat it. */
  readonly next: string | null
  /** Digest of the body, because not every server sends ETags. */
  readonly digest: string
}

/** @param fingerprint of the form and the schemas that the page was read with */
export function writePageStamp({ etag, next, digest }: PageStamp, fingerprint: string): string {
  return JSON.stringify([fingerprint, etag, next, digest])
}

/** Parses a stamp. Null if there is none, or if it has another fingerprint. */
export function readPageStamp(text: string | undefined, fingerprint: string): PageStamp | null {
  if (text === undefined) return null
  try {
    const [of, etag, next, digest] = JSON.parse(text) as [string, string | null, string | null, string]
    return of === fingerprint ? { etag, next, digest } : null
  } catch {
    // A stamp of another reader, from before the source was reconfigured.
    return null
  }
}
