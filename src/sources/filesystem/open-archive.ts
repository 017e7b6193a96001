import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { posix } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Entry, fromFdPromise, getFileNameLowLevel, validateFileName, type ZipFile } from 'yauzl'
import { compareText } from '../../core/entry/text.js'
import { FileFault } from '../forms/file-fault.js'
import type { FilesystemLimits } from './filesystem-limits.js'
import { tooLarge } from './read-inside.js'
import { typeByName } from './walk-folder.js'

/** A file of an archive that may define entries, or its fault. */
export interface ArchivedFile {
  readonly name: string
  readonly fault: string | undefined
}

/**
 * @bound Compression ratio of a file in an archive. Text shrinks to a tenth, rarely to a hundredth; zeros shrink to a
 * thousandth.
 */
const MAX_RATIO = 200
const RATIO_FROM_BYTES = 1024 * 1024
const SYMBOLIC_LINK = 0xa000
const CONTROL = /[\u0000-\u001f\u007f]/

/** An open archive. Nothing that it declares about itself is trusted without a check. */
export class OpenArchive {
  readonly #entries = new Map<string, Entry>()
  /** In the code-point order of their names. */
  readonly files: readonly ArchivedFile[]

  private constructor(
    private readonly zip: ZipFile,
    entries: readonly (readonly [string, Entry, string | undefined])[],
    private readonly maxBytes: number,
  ) {
    const files = new Map<string, ArchivedFile>()
    for (const [name, entry, fault] of entries) {
      const twice = files.has(name) || this.#entries.has(name)
      if (fault === undefined && !twice) this.#entries.set(name, entry)
      if (twice) this.#entries.delete(name)
      if (isPassedOver(name) || (fault === undefined && typeByName(name) !== 'file')) continue
      files.set(name, { name, fault: twice ? 'occurs twice in the archive' : fault })
    }
    this.files = [...files.values()].sort((a, b) => compareText(a.name, b.name))
  }

  /** @throws FileFault if the archive cannot be read or is a ZIP bomb */
  static async open({ fd }: FileHandle, { size }: BigIntStats, limits: FilesystemLimits): Promise<OpenArchive> {
    if (size > BigInt(limits.archiveBytes))
      throw new FileFault(`has ${size} bytes, more than the maximum of ${limits.archiveBytes} for an archive`)
    const entries: (readonly [string, Entry, string | undefined])[] = []
    let packed = 0
    let unpacked = 0
    let zip: ZipFile
    try {
      zip = await fromFdPromise(fd, { autoClose: false, decodeStrings: false })
      if (zip.entryCount > limits.archiveFiles)
        throw new FileFault(`has ${zip.entryCount} files, more than the maximum of ${limits.archiveFiles}`)
      for await (const entry of zip.eachEntry()) {
        packed += entry.compressedSize
        unpacked += entry.uncompressedSize
        const name = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false)
        if (name.endsWith('/')) continue
        const fault = nameFault(name) ?? entryFault(entry)
        entries.push([fault === undefined ? posix.normalize(name) : name, entry, fault])
      }
    } catch (error) {
      if (error instanceof FileFault) throw error
      throw new FileFault(`is not a readable archive: ${(error as Error).message}`)
    }
    // Overlapping files share their packed bytes: a ZIP bomb in which each file looks harmless.
    if (packed > Number(size)) throw new FileFault('has files that overlap')
    if (unpacked > limits.unpackedBytes)
      throw new FileFault(`unpacks to ${unpacked} bytes, more than the maximum of ${limits.unpackedBytes}`)
    return new OpenArchive(zip, entries, limits.fileBytes)
  }

  /** Identifies the content of a file within the archive. */
  checksum(name: string): string {
    const entry = this.#entries.get(name)
    return entry === undefined ? '' : `${entry.crc32.toString(36)}.${entry.uncompressedSize.toString(36)}`
  }

  /** Reads a file. Returns undefined if there is none. @throws FileFault */
  async read(name: string): Promise<Buffer | undefined> {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    const { uncompressedSize: declared, compressedSize } = entry
    if (declared > this.maxBytes) throw new FileFault(tooLarge(declared, this.maxBytes))
    if (declared > RATIO_FROM_BYTES && declared > compressedSize * MAX_RATIO)
      throw new FileFault(`unpacks to more than ${MAX_RATIO} times its size`)
    const bytes = await this.#unpack(entry)
    if (crc32(bytes) !== entry.crc32) throw new FileFault('is damaged: its checksum does not match')
    return bytes
  }

  async #unpack(entry: Entry): Promise<Buffer> {
    const chunks: Buffer[] = []
    let length = 0
    try {
      // The library stops at the declared size, and fails if there are fewer bytes.
      const stream = await this.zip.openReadStreamPromise(entry)
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        length += chunk.length
        if (length > this.maxBytes) throw new FileFault(`has more than the maximum of ${this.maxBytes} bytes`)
        chunks.push(chunk)
      }
    } catch (error) {
      if (error instanceof FileFault) throw error
      throw new FileFault(`cannot be unpacked: ${(error as Error).message}`)
    }
    return Buffer.concat(chunks, length)
  }
}

function nameFault(name: string): string | undefined {
  if (validateFileName(name) !== null || posix.normalize(name).startsWith('..'))
    return 'has a name that points outside the archive'
  return CONTROL.test(name) ? 'has a name with control characters' : undefined
}

function entryFault(entry: Entry): string | undefined {
  if (((entry.externalFileAttributes >>> 16) & 0xf000) === SYMBOLIC_LINK)
    return 'is a link. Links in archives are not followed'
  if (entry.isEncrypted()) return 'is encrypted'
  return entry.canDecodeFileData() ? undefined : `has the unknown compression method ${entry.compressionMethod}`
}

function isPassedOver(name: string): boolean {
  return name
    .split('/')
    .some(
      (part) =>
        (part.startsWith('.') && part !== '.' && part !== '..') || part === 'node_modules' || part === '__MACOSX',
    )
}
