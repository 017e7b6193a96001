/** A file whose content stands in an entry by `file://`, relative to the root of the folder or of the archive. */
export interface IncludedStamp {
  readonly path: string
  readonly signature: string
  readonly hash: string
}

/** What a location was like when it was read. */
export interface FileStamp {
  /** Of the configuration by which it was read. */
  readonly by: string
  /** Empty where it proves nothing. */
  readonly signature: string
  readonly hash: string
  readonly included: readonly IncludedStamp[]
}

/** As text: `by signature hash`, then path, signature and hash of each included file. */
export function writeFileStamp({ by, signature, hash, included }: FileStamp): string {
  return JSON.stringify([
    by,
    signature,
    hash,
    ...included.map(({ path, signature: own, hash: content }) => [path, own, content]),
  ])
}

/** Undefined where it is none of ours: it may have been written by another release. */
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
