import type { FolderReading } from '../../sources/provider/read-folder.js'
import { readFolder } from '../../sources/provider/read-folder.js'
import { CommandFailure, EXIT } from '../terminal/command-failure.js'
import { startProgress } from '../terminal/progress.js'
import type { Terminal } from '../terminal/terminal.js'

/** The entries of a folder or file that was named on the command line. @throws Failure where it cannot be read at all */
export async function readDefinitions(path: string, terminal: Terminal): Promise<FolderReading> {
  const progress = startProgress(terminal, 'reading files')
  try {
    return await readFolder(path, { progress: progress.update })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    if (code === 'ENOENT') throw new CommandFailure(EXIT.usage, `${path} does not exist`, 'USAGE')
    throw new CommandFailure(EXIT.refused, `${path} cannot be read: ${(error as Error).message}`, code)
  } finally {
    progress.stop()
  }
}
