/** A name for a version. */
export interface Tag {
  readonly name: string
  readonly version: number
  /** A fixed one stays where it is for good. */
  readonly movable: boolean
  /** When it was put on this version, and by whom. */
  readonly createdAt: Date
  readonly author: string | null
}

/** @bound Characters of a tag's name. */
export const MAX_TAG_NAME = 255

const NAME = /^[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*$/

/** What keeps a text from being a tag's name; undefined where nothing does. */
export function tagNameFault(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (name.length > MAX_TAG_NAME) return `it has ${name.length} characters; it may have ${MAX_TAG_NAME}`
  if (!NAME.test(name)) return 'a tag is made of segments of A-Z, a-z, 0-9, "_" and "-", joined by "." or "/"'
  return undefined
}
