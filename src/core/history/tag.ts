/** A name for a version. */
export interface Tag {
  readonly name: string
  readonly version: number
  /** A tag that is not movable stays on its version forever. */
  readonly movable: boolean
  /** When it was set to this version. */
  readonly createdAt: Date
  /** The author of the change that set it to this version. */
  readonly author: string | null
}

/** @bound Characters of a tag's name. */
const MAX_TAG_NAME = 255

const NAME = /^[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*$/

/** The fault of a tag's name; undefined if it is valid. */
export function tagNameFault(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (name.length > MAX_TAG_NAME) return `it has ${name.length} characters, and at most ${MAX_TAG_NAME} are allowed`
  if (!NAME.test(name)) return 'a tag consists of segments of A-Z, a-z, 0-9, "_" and "-", joined by "." or "/"'
  return undefined
}
