import { type FSWatcher, watch } from 'node:fs'
import { isGone } from './read-inside.js'

/** Something in a folder that a scan looks at. */
export interface Child {
  readonly name: string
  /** Path from the root; kept, so that its hash need not be found anew by every scan. */
  readonly location: string
  readonly type: 'folder' | 'file' | 'archive' | 'fault'
  /** What a link leads to may change without a word here: a folder with links is read every time. */
  readonly linked: boolean
  /** Of a fault: what is wrong with it. */
  readonly message: string
}

/** What is known of one folder of the source. */
export interface FolderState {
  readonly inode: string
  /** Reached by a link, or below one that is. */
  readonly linked: boolean
  watcher: FSWatcher | undefined
  /** Counts what the watcher has told. */
  told: number
  /** `told` when `children` was read and every file among them looked at; -1 before that. */
  readAt: number
  children: readonly Child[]
  /** Number of the scan that was here last. */
  scan: number
}

/**
 * The folders of a source by their path (root: ``), and what watches them.
 *
 * Each folder has one watch, which tells of all that happens to the files in it. (One for each file as well, as chokidar
 * has them, is 80,000 for 80,000 files, where Linux mostly allows 65,536: measured 8.4 s and 650 MB to begin with, against
 * 0.1 s and 54 MB.) A folder is watched before it is read, so what it was like when read holds until its watch tells
 * something: a scan need not look at it again.
 */
export class FolderCache {
  readonly #folders = new Map<string, FolderState>()
  #watching = false
  #told: () => void = () => {}
  #refused: ((error: unknown) => void) | undefined

  /**
   * From now on folders are watched as they are read.
   * @param told hears that something has happened
   * @param refused hears, once, that the system refused to watch a folder; such folders are looked at by every scan
   */
  startWatching(told: () => void, refused: (error: unknown) => void): void {
    this.#told = told
    this.#refused = refused
    this.#watching = true
    this.forget()
  }

  stopWatching(): void {
    this.#watching = false
    this.forget()
  }

  /** Everything is looked at again. */
  forget(): void {
    for (const path of [...this.#folders.keys()]) this.#drop(path)
  }

  get(path: string): FolderState | undefined {
    return this.#folders.get(path)
  }

  /** The state of the folder that lies there now: a new one where another folder did. */
  enter(path: string, absolute: string, inode: string, linked: boolean): FolderState {
    const known = this.#folders.get(path)
    if (known?.inode === inode && known.linked === linked && (known.watcher !== undefined || !this.#watching))
      return known
    this.#drop(path)
    const state: FolderState = { inode, linked, watcher: undefined, told: 0, readAt: -1, children: [], scan: 0 }
    state.watcher = this.#watch(absolute, state)
    this.#folders.set(path, state)
    return state
  }

  /** Forgets the folders that a whole scan has not come by. */
  sweep(scan: number): void {
    for (const [path, state] of this.#folders) if (state.scan < scan) this.#drop(path)
  }

  #drop(path: string): void {
    const state = this.#folders.get(path)
    if (state === undefined) return
    this.#folders.delete(path)
    const { watcher } = state
    state.watcher = undefined
    watcher?.close()
  }

  #watch(absolute: string, state: FolderState): FSWatcher | undefined {
    if (!this.#watching) return undefined
    try {
      const watcher = watch(absolute, { persistent: false })
      watcher.on('change', () => {
        state.told++
        this.#told()
      })
      // Windows tells so of a folder that is removed.
      watcher.on('error', () => {
        state.watcher = undefined
        watcher.close()
        this.#told()
      })
      return watcher
    } catch (error) {
      if (isGone(error)) return undefined
      this.#refused?.(error)
      this.#refused = undefined
      return undefined
    }
  }
}

/** Whether a folder is as it was when it was read last. */
export function isUnchangedSinceRead(state: FolderState): boolean {
  return state.watcher !== undefined && state.readAt === state.told
}
