// Stores results beside RESULTS.md, for a run that resumes or measures a part again.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FILE = fileURLToPath(new URL('.measured.json', import.meta.url))

export const readMeasured = () => (existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : [])

export function writeMeasured(results) {
  // A rename: a run that is stopped meanwhile leaves the old file or the new one, complete.
  writeFileSync(`${FILE}.new`, JSON.stringify(results, null, 1))
  renameSync(`${FILE}.new`, FILE)
}
