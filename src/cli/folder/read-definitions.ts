import type { FolderReading } from '../../sources/provider/read-folder.js'
import { readFolder } from '../../sources/provider/read-folder.js'
import { CommandFailure, EXIT, type ForeignCode } from '../terminal/command-failure.js'
import { startProgress } from '../terminal/progress.js'
import type { Terminal } from '../terminal/terminal.js'

/** Reads the folder or file of a command line. @throws CommandFailure if the path itself cannot be read */
export async function readDefinitions(path: string, terminal: Terminal): Promise<FolderReading> {
  const progress = startProgress(terminal, 'reading files')
  try {
    return await readFolder(path, { progress: progress.update })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    if (code === 'ENOENT') throw new CommandFailure(EXIT.usage, `${path} does not exist`, 'USAGE')
    throw new CommandFailure(EXIT.refused, `${path} cannot be read: ${(error as Error).message}`, code as ForeignCode)
  } finally {
    progress.stop()
  }
}
