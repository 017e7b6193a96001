/** Limits of one source. */
export interface FilesystemLimits {
  /** Bytes of an entry's meta and data as JSON. */
  readonly entryBytes: number
  /**
   * Bytes of a file, of an unpacked file of an archive, and of all files together that one file includes by `file://`.
   */
  readonly fileBytes: number
  /** The same for YAML. It parses at about 2 MB/s, or 0.2 MB/s if crafted to be slow, and blocks its thread meanwhile. */
  readonly yamlBytes: number
  /** Bytes of an archive. */
  readonly archiveBytes: number
  /** Bytes of all files of an archive together, unpacked. */
  readonly unpackedBytes: number
  /** Files in an archive. */
  readonly archiveFiles: number
}

export const FILESYSTEM_LIMITS: FilesystemLimits = {
  entryBytes: 1024 * 1024,
  fileBytes: 16 * 1024 * 1024,
  yamlBytes: 4 * 1024 * 1024,
  archiveBytes: 256 * 1024 * 1024,
  unpackedBytes: 1024 * 1024 * 1024,
  archiveFiles: 100_000,
}

/** Bytes that a file to be parsed may have. */
export function parsedBytes(name: string, { fileBytes, yamlBytes }: FilesystemLimits): number {
  return /\.ya?ml$/i.test(name) ? Math.min(yamlBytes, fileBytes) : fileBytes
}
