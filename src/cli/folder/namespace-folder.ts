import { createHash } from 'node:crypto'

/** The longest file name on common systems, minus room for a suffix. */
const MAX_BYTES = 200

/**
 * The folder that a namespace is exported to. It is the namespace itself, with `%XX` for bytes that a file system or
 * `apply` would interpret. A name that is too long is truncated and made unique by a hash.
 */
export function namespaceFolder(namespace: string): string {
  // `apply` skips folders of this name.
  if (namespace === 'node_modules') return '%6eode_modules'
  const spelled = [...Buffer.from(namespace, 'utf8')]
    .map((byte, index) => (isPlain(byte, index) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`))
    .join('')
  if (spelled.length <= MAX_BYTES) return spelled
  return `${spelled.slice(0, MAX_BYTES - 17)}-${createHash('sha256').update(namespace).digest('hex').slice(0, 16)}`
}

/** A leading dot would hide the folder. */
function isPlain(byte: number, index: number): boolean {
  const character = String.fromCharCode(byte)
  return index === 0 ? /[A-Za-z0-9_]/.test(character) : /[A-Za-z0-9_.-]/.test(character)
}
