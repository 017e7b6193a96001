// What has been measured so far, kept beside RESULTS.md for a run that goes on or measures a part anew.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FILE = fileURLToPath(new URL('.measured.json', import.meta.url))

export const readMeasured = () => (existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : [])

export function writeMeasured(results) {
  // Renamed: a run that is stopped meanwhile leaves the one or the other whole.
  writeFileSync(`${FILE}.new`, JSON.stringify(results, null, 1))
  renameSync(`${FILE}.new`, FILE)
}
