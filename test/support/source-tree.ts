import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** A line of a source file that names another file or a package. */
export interface Import {
  readonly specifier: string
  readonly line: number
  readonly text: string
}

/** One source file: `path` is relative to src/ and has forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly imports: readonly Import[]
  readonly lines: readonly string[]
}

const IMPORTS = [
  /^\s*(?:import|export|\})[^'"]*\bfrom\s*['"]([^'"]+)['"]/,
  /^\s*import\s*['"]([^'"]+)['"]/,
  /\bimport\s*\(\s*['"]([^'"]+)['"]/,
  /\brequire(?:\.resolve)?\s*\(\s*['"]([^'"]+)['"]/,
]

export const isComment = (line: string): boolean => /^\s*(?:\/\/|\/?\*)/.test(line)

/** Reads the imports of one file line by line, comments left out. */
export function parseSource(path: string, text: string): SourceFile {
  const lines = text.split('\n')
  const imports = lines.flatMap((line, i) => {
    if (isComment(line)) return []
    return IMPORTS.flatMap((pattern) => {
      const specifier = pattern.exec(line)?.[1]
      return specifier === undefined ? [] : [{ specifier, line: i + 1, text: line.trim() }]
    })
  })
  return { path, imports, lines }
}

/** Reads every TypeScript file below a folder, sorted by path. */
export function readSourceTree(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.[cm]?tsx?$/.test(path) && !/(?:^|\/)node_modules\//.test(path))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(folder, path), 'utf8')))
}

/** The file that a relative import names, as a path in the same tree. */
export const importTarget = (path: string, specifier: string): string =>
  posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts')

/** Finds the cycles of a graph by Tarjan's strongly connected components. Each is sorted; so is the list. */
export function cyclesOf(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const cycles: string[][] = []
  const visit = (node: string) => {
    index.set(node, index.size)
    low.set(node, index.get(node)!)
    stack.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next)
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!))
    }
    if (low.get(node) !== index.get(node)) return
    const members = stack.splice(stack.indexOf(node))
    if (members.length > 1 || graph.get(node)?.has(node)) cycles.push(members.sort())
  }
  for (const node of graph.keys()) if (!index.has(node)) visit(node)
  return cycles.sort((a, b) => a[0]!.localeCompare(b[0]!))
}
