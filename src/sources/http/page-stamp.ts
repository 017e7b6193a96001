/** What is remembered of a page that was fully taken over. */
export interface PageStamp {
  readonly etag: string | null
  /** URL of the page after it, as it was then: an answer that nothing has changed need not repeat it. */
  readonly next: string | null
  /** Of the body: not every server has ETags. */
  readonly digest: string
}

/** @param fingerprint of all that the reading depends on besides the page: its form, its schemas */
export function writePageStamp({ etag, next, digest }: PageStamp, fingerprint: string): string {
  return JSON.stringify([fingerprint, etag, next, digest])
}

/** Null where there is none, or it was written when pages were read otherwise. */
export function readPageStamp(text: string | undefined, fingerprint: string): PageStamp | null {
  if (text === undefined) return null
  try {
    const [of, etag, next, digest] = JSON.parse(text) as [string, string | null, string | null, string]
    return of === fingerprint ? { etag, next, digest } : null
  } catch {
    // Another reader's, from before the source was configured otherwise.
    return null
  }
}
