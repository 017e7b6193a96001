/** A file that an entry includes by `file://`. Its path is relative to the root of the folder or archive. */
export interface IncludedStamp {
  readonly path: string
  readonly signature: string
  readonly hash: string
}

/** The state of a location when it was read. */
export interface FileStamp {
  /** Fingerprint of the configuration that it was read with. */
  readonly by: string
  /** Empty if it proves nothing. */
  readonly signature: string
  readonly hash: string
  readonly included: readonly IncludedStamp[]
}

/** Serializes a stamp: `by`, signature, hash, then path, signature and hash of each included file. */
export function writeFileStamp({ by, signature, hash, included }: FileStamp): string {
  return JSON.stringify([
    by,
    signature,
    hash,
    ...included.map(({ path, signature: own, hash: content }) => [path, own, content]),
  ])
}

/** Parses a stamp. Returns undefined if another release wrote it in another format. */
export function readFileStamp(text: string): FileStamp | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(value) || value.length < 3) return undefined
  const [by, signature, hash, ...rest] = value as unknown[]
  if (
    !isText([by, signature, hash]) ||
    !rest.every((item): item is string[] => Array.isArray(item) && item.length === 3 && isText(item))
  ) {
    return undefined
  }
  const included = rest.map(([path, own, content]) => ({ path: path!, signature: own!, hash: content! }))
  return { by: by as string, signature: signature as string, hash: hash as string, included }
}

function isText(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string')
}
