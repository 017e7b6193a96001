import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'
import { ZipFile } from 'yazl'
import type { SourceFailure } from '../../../src/sources/contract/source-failure.js'
import type { ScannedLocation, SourceReader } from '../../../src/sources/contract/source-reader.js'
import {
  type FilesystemSourceOptions,
  openFilesystemSource,
} from '../../../src/sources/filesystem/filesystem-source.js'
import { ParsingThread } from '../../../src/sources/parsing/parsing-thread.js'

/** As in a gateway, all sources share a thread. Starting one takes longer than most tests. */
const thread = new ParsingThread()
afterAll(() => thread.close())

export type Files = Readonly<Record<string, string | Uint8Array>>

export async function temporaryFolder(files: Files = {}): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'cadastre-files-')))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await write(folder, files)
  return folder
}

export async function write(folder: string, files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
}

/** One entry in the entry form. */
export function entry(id: string, data: unknown = null, kind = 'k'): string {
  return JSON.stringify({ id, kind, data })
}

export async function zip(files: Files): Promise<Buffer> {
  const archive = new ZipFile()
  for (const [name, content] of Object.entries(files)) archive.addBuffer(Buffer.from(content), name)
  archive.end()
  const chunks: Buffer[] = []
  for await (const chunk of archive.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** A reader with the stamps that applying it would store. */
export class Following {
  readonly stamps = new Map<string, string>()
  readonly reader: SourceReader

  constructor(readonly options: FilesystemSourceOptions) {
    this.reader = openFilesystemSource({ thread, ...options })
    onTestFinished(() => this.reader.close())
  }

  readonly scan = async (signal = new AbortController().signal): Promise<ScanResult> => {
    const all: ScannedLocation[] = []
    for await (const scanned of this.reader.scan((location) => this.stamps.get(location), signal)) {
      if (scanned.unchanged) {
        for (const location of [scanned.location, ...(scanned.also ?? [])]) all.push({ location, unchanged: true })
        continue
      }
      all.push(scanned)
      if (scanned.failures.length === 0) this.stamps.set(scanned.location, scanned.stamp)
      else this.stamps.delete(scanned.location)
    }
    return new ScanResult(all)
  }
}

export class ScanResult {
  constructor(readonly all: readonly ScannedLocation[]) {}

  get locations(): string[] {
    return this.all.map(({ location }) => location)
  }

  /** Locations that were read. */
  get read(): string[] {
    return this.all.filter(({ unchanged }) => !unchanged).map(({ location }) => location)
  }

  get ids(): string[] {
    return this.all.flatMap((scanned) => (scanned.unchanged ? [] : scanned.entries.map(({ id }) => id)))
  }

  /** The entries that were read, by id. */
  get data(): Record<string, unknown> {
    const entries = this.all.flatMap((scanned) => (scanned.unchanged ? [] : scanned.entries))
    return Object.fromEntries(entries.map(({ id, content }) => [id, JSON.parse(content.dataText) as unknown]))
  }

  get failures(): SourceFailure[] {
    return this.all.flatMap((scanned) => (scanned.unchanged ? [] : scanned.failures))
  }

  /** `location: message`. */
  get faults(): string[] {
    return this.failures.map(({ file, line, message }) => `${file}${line === null ? '' : `:${line}`}: ${message}`)
  }
}

export async function follow(
  files: Files = {},
  options: Partial<FilesystemSourceOptions> = {},
): Promise<Following & { readonly folder: string }> {
  const folder = await temporaryFolder(files)
  return Object.assign(new Following({ path: folder, form: 'entry', ...options }), { folder })
}
