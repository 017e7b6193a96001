import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FolderCache } from './folder-cache.js'
import { fileState } from './read-inside.js'
import { walkFolder } from './walk-folder.js'

/**
 * A digest over the state of all files, without reading them. 80,000 files take about a second.
 * @param others paths from the root of files that a walk does not visit
 */
export async function folderDigest(root: string, others: readonly string[], signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const batch of walkFolder({ root, folders: new FolderCache(), number: 0, whole: true, signal })) {
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
