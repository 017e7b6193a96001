import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Hashes files and folders by their names and contents, but not by their times, which a checkout changes.
 * @param {string} root
 * @param {readonly string[]} inputs relative to root; a missing one counts as missing
 */
export function inputHash(root, inputs) {
  const hash = createHash('sha256')
  for (const input of inputs) add(hash, root, input)
  return hash.digest('hex')
}

function add(hash, root, name) {
  const path = join(root, name)
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) return void hash.update(`missing ${name}\0`)
  if (!found.isDirectory()) return void hash.update(`${name}\0${found.size}\0`).update(readFileSync(path))
  const names = readdirSync(path)
    .filter((entry) => entry !== 'node_modules')
    .sort()
  for (const entry of names) add(hash, root, `${name}/${entry}`)
}
