import { statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Arguments that run a program in a mount namespace of its own, in which other users can reach the paths. They come
 * before the program. An empty folder replaces each folder that is closed to others, such as /root, and the paths below
 * are mounted in it. So every path is the same inside and outside, and nothing changes outside. Only root on Linux may
 * do this, and not in every container.
 * @param paths existing folders, with their symlinks resolved
 * @returns undefined if all users can reach the paths anyway
 */
export function inMountNamespace(paths: readonly string[]): string[] | undefined {
  const found = paths.flatMap((path) => {
    const closed = closedAncestor(path)
    return closed === undefined ? [] : [{ path, closed }]
  })
  if (found.length === 0) return undefined
  const closed = [...new Set(found.map((each) => each.closed))]
  const script = [
    'set -e',
    ...found.map(({ path }, index) => `exec ${index + 3}<${quoted(path)}`),
    ...closed.map((folder) => `mount -t tmpfs -o mode=0711,size=64k cadastre ${quoted(folder)}`),
    ...found.flatMap(({ path }, index) => [
      `mkdir -p ${quoted(path)}`,
      `mount --no-canonicalize --bind /proc/self/fd/${index + 3} ${quoted(path)}`,
      `exec ${index + 3}<&-`,
    ]),
    'exec "$@"',
  ]
  return ['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', script.join('\n'), 'cadastre']
}

/** The first folder on the way from the root that others may not enter. */
function closedAncestor(path: string): string | undefined {
  const parent = dirname(path)
  if (parent === path) return undefined
  return closedAncestor(parent) ?? ((statSync(parent).mode & 0o001) === 0 ? parent : undefined)
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
