import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FolderCache } from './folder-cache.js'
import { fileState } from './read-inside.js'
import { walkFolder } from './walk-folder.js'

/**
 * Another one where any file looks different, found by looking alone: 80,000 files take about a second of waiting.
 * @param others paths from the root of files that a walk does not come by
 */
export async function folderDigest(root: string, others: readonly string[], signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const batch of walkFolder({ root, memory: new FolderCache(), number: 0, whole: true, signal })) {
    for (const found of batch) {
      hash.update(found.location)
      hash.update(
        `\0${found.type === 'fault' ? found.message : found.stat === undefined ? '' : fileState(found.stat).signature}\n`,
      )
    }
  }
  for (const path of others) {
    signal.throwIfAborted()
    hash.update(
      await stat(join(root, ...path.split('/')), { bigint: true }).then(
        (found) => fileState(found).signature,
        () => 'none',
      ),
    )
  }
  return hash.digest('base64url')
}
