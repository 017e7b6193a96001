import { compareUnits, utf8Length } from './text.js'

/**
 * An entry's id in its only written form, `namespace:name`, NFC-normalised. A namespace has no colon, so the id splits
 * at the first colon, and equal ids are equal strings. Only `parseEntryId` and `entryIdOf` make ids.
 */
export type EntryId = string & { readonly __brand: 'EntryId' }

export interface EntryIdParts {
  readonly ns: string
  readonly name: string
}

/** An id as a caller sent it, not validated yet. */
export type SubmittedId = string | EntryIdParts

/** A submitted id that is not valid. The message is for the caller. */
export class InvalidEntryId extends Error {
  override readonly name = 'InvalidEntryId'
}

/** @bound Length of a namespace. */
export const MAX_NAMESPACE_BYTES = 255
/** @bound Length of a name. */
export const MAX_NAME_BYTES = 512

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
const NAMESPACE_FORBIDDEN = /[\s/@:]/u
const EDGE_SPACE = /^\s|\s$/u
const LONE_SURROGATE = /\p{Surrogate}/u
/**
 * Invisible characters, by which two ids can look the same: zero-width space, byte order mark, bidi controls, fillers
 * and more. The joiners U+200C and U+200D, and variation selectors of emoji, ideographs and the like, are part of how
 * scripts and emoji are written.
 */
const INVISIBLE =
  /[\p{Cf}\p{DI}](?<!\u200c|\u200d|[\p{ExtPict}\p{Ideo}\p{sc=Mong}\p{sc=Mymr}\p{sc=Phag}\u2190-\u2bff]\p{VS})(?!(?<=[#*0-9]\ufe0f)\u20e3)/u
const ALL_INVISIBLE = new RegExp(INVISIBLE, 'gu')
/** Relay and clients like it keep the root of the graph in their cache under this id. */
const CLIENT_ROOT = 'client:root'

/**
 * Parses an id. A string is split at its first colon.
 * @throws InvalidEntryId naming the broken rule
 */
export function parseEntryId(submitted: SubmittedId): EntryId {
  if (typeof submitted !== 'string') return entryIdOf(submitted.ns, submitted.name)
  const colon = submitted.indexOf(':')
  if (colon < 0) throw new InvalidEntryId(`"${shown(submitted)}" has no colon; an id is namespace:name`)
  return entryIdOf(submitted.slice(0, colon), submitted.slice(colon + 1))
}

/**
 * Makes an id from its parts.
 * @throws InvalidEntryId naming the broken rule
 */
export function entryIdOf(ns: string, name: string): EntryId {
  const namespace = ns.normalize('NFC')
  const entryName = name.normalize('NFC')
  const fault = namespaceFault(namespace) ?? nameFault(entryName)
  if (fault !== undefined) throw new InvalidEntryId(fault)
  const id = `${namespace}:${entryName}`
  if (id === CLIENT_ROOT)
    throw new InvalidEntryId(`"${id}" is reserved by caches of GraphQL clients; choose another name`)
  return id as EntryId
}

/**
 * Parses an id that may have been stored before invisible characters and `client:root` were refused, so that such an
 * entry can still be read and deleted.
 * @throws InvalidEntryId naming the broken rule
 */
export function parseStoredEntryId(submitted: SubmittedId): EntryId {
  // The colon of a namespace in parts would end it.
  if (typeof submitted !== 'string' && submitted.ns.includes(':')) return parseEntryId(submitted)
  const text = typeof submitted === 'string' ? submitted : `${submitted.ns}:${submitted.name}`
  const id = text.normalize('NFC')
  // Invisible characters are replaced by a letter, so that every other rule holds.
  const visible = id.replace(ALL_INVISIBLE, 'x')
  if (visible !== CLIENT_ROOT) parseEntryId(visible)
  return id as EntryId
}

/** The fault for which a new entry may not have an id that was stored; undefined if it may. */
export function storedIdFault(id: EntryId): string | undefined {
  try {
    parseEntryId(id)
    return undefined
  } catch (error) {
    if (error instanceof InvalidEntryId) return error.message
    throw error
  }
}

/** Whether a text is an id in its written form. */
export function isEntryId(text: string): text is EntryId {
  try {
    return parseEntryId(text) === text
  } catch (error) {
    if (error instanceof InvalidEntryId) return false
    throw error
  }
}

/** The fault of a namespace; undefined if it is valid. */
export function namespaceFault(ns: string): string | undefined {
  if (ns === '') return 'the namespace is empty'
  if (NAMESPACE_FORBIDDEN.test(ns)) return `the namespace "${shown(ns)}" has white space or one of / @ :`
  return textFault('namespace', ns, MAX_NAMESPACE_BYTES)
}

function nameFault(name: string): string | undefined {
  if (name === '') return 'the name is empty'
  if (EDGE_SPACE.test(name)) return `the name "${shown(name)}" begins or ends with white space`
  return textFault('name', name, MAX_NAME_BYTES)
}

function textFault(part: string, text: string, maxBytes: number): string | undefined {
  if (CONTROL.test(text)) return `the ${part} "${shown(text)}" has a control character`
  const invisible = INVISIBLE.exec(text)?.[0]
  if (invisible !== undefined)
    return `the ${part} "${shown(text)}" has the invisible character ${codePointText(invisible)}; remove it`
  if (LONE_SURROGATE.test(text)) return `the ${part} has a lone surrogate`
  if (utf8Length(text) > maxBytes) return `the ${part} "${shown(text)}" has more than ${maxBytes} bytes`
  return undefined
}

export function namespaceOf(id: EntryId): string {
  return id.slice(0, id.indexOf(':'))
}

export function nameOf(id: EntryId): string {
  return id.slice(id.indexOf(':') + 1)
}

export function entryIdParts(id: EntryId): EntryIdParts {
  const colon = id.indexOf(':')
  return { ns: id.slice(0, colon), name: id.slice(colon + 1) }
}

const COLON = 0x3a

/**
 * Compares ids in the registry's order: by namespace, then by name, each by code point. The first colon (the end of
 * the namespace) counts as lower than any character, so that sorting 100,000 ids splits no string.
 */
export function compareEntryIds(a: EntryId, b: EntryId): number {
  const length = Math.min(a.length, b.length)
  let inNamespace = true
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) {
      if (inNamespace && x === COLON) return -1
      if (inNamespace && y === COLON) return 1
      return compareUnits(x, y)
    }
    if (x === COLON) inNamespace = false
  }
  return a.length - b.length
}

/** A caller's text, cut to fit into a message, with its invisible characters made visible. */
function shown(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 77)}…` : text
  return cut.replace(/[\p{Cf}\p{DI}]/gu, (invisible) => `<${codePointText(invisible)}>`)
}

function codePointText(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}
