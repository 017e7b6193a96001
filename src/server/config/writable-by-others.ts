import { realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Finds out whether every user of this machine may replace a file: its mode or that of its folder says so. In a folder
 * with the sticky bit, such as /tmp, only the owner of a file may replace it.
 * @returns the path whose mode must change; null if there is none, or no such file
 */
export function writableByAll(path: string): string | null {
  const found = fileAndFolder(path)
  return found.find(({ mode, isFolder }) => (mode & 0o002) !== 0 && !(isFolder && (mode & 0o1000) !== 0))?.path ?? null
}

/**
 * Finds out who else may replace a file that root runs: the owner of the file or its folder, or its group.
 * @returns the path that they may write; null if only root may, or this process is not root
 */
export function writableBesideRoot(path: string): string | null {
  if (process.getuid?.() !== 0) return null
  const found = fileAndFolder(path)
  return found.find(({ uid, gid, mode }) => uid !== 0 || ((mode & 0o020) !== 0 && gid !== 0))?.path ?? null
}

function fileAndFolder(path: string) {
  // Modes say nothing on Windows.
  if (process.platform === 'win32' || statSync(path, { throwIfNoEntry: false }) === undefined) return []
  const file = realpathSync(path)
  return [file, dirname(file)].map((each, i) => {
    const { mode, uid, gid } = statSync(each)
    return { path: each, isFolder: i === 1, mode, uid, gid }
  })
}
