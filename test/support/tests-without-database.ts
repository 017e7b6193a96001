import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readSourceTree } from './source-tree.js'

/** Files by which a test reaches a Postgres server, a browser, packages of its own, or a program of its own. */
const HEAVY =
  /\/(?:support\/(?:[\w-]*postgres[\w-]*|throwaway-[\w-]+|bundle-for-child)|cli\/built-cli|process\/[\w-]+|interop\/packages|web-playground\/(?:browser|built-page)|store\/embedded\/[\w-]+)\.ts$/

/** The test files below a folder whose imports, direct and indirect, reach nothing heavy. */
export function testsWithoutDatabase(folder: string): string[] {
  const reached = new Map<string, boolean>()
  const isHeavy = (file: string): boolean => {
    const known = reached.get(file)
    if (known !== undefined) return known
    // Set before its imports are followed: a cycle adds nothing.
    reached.set(file, HEAVY.test(file))
    const heavy = HEAVY.test(file) || importsOf(file).some(isHeavy)
    reached.set(file, heavy)
    return heavy
  }
  return readSourceTree(folder)
    .map(({ path }) => join(folder, path))
    .filter((file) => file.endsWith('.test.ts') && !isHeavy(file))
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)]
    .map(([, specifier]) => resolve(dirname(file), specifier!.replace(/\.js$/, '.ts')))
    .filter((path) => path.endsWith('.ts') && existsSync(path))
}
