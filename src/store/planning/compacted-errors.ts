import type { Problem } from '../../core/errors/problem.js'
import { RegistryError } from '../../core/errors/registry-error.js'

/** The error of a read below the oldest revision. */
export function compactedError(revision: number, oldestRevision: number): RegistryError {
  const message = `Revision ${revision} has been compacted. The oldest revision that can be read is ${oldestRevision}.`
  return new RegistryError('COMPACTED', message, { oldestRevision })
}

/**
 * The error of a registry without history where something of the past is needed.
 * @param what - What cannot be done, as the beginning of a sentence
 */
export function historyMissingError(what: string, headRevision: number): RegistryError {
  const message = `${what}: this registry stores no history (CADASTRE_STORE=none), only its state at revision ${headRevision}.`
  return new RegistryError('HISTORY_NOT_KEPT', message, { oldestRevision: headRevision })
}

/** The error of a position in the log below the oldest revision. */
export function logCompactedError(revision: number, oldestRevision: number): RegistryError {
  const message = `The changes since revision ${revision} have been compacted. The oldest revision that can be read is ${oldestRevision}. Start again with \`initial\`.`
  return new RegistryError('COMPACTED', message, { oldestRevision })
}

export function versionCompactedError(version: number, revision: number, oldestRevision: number): RegistryError {
  const message = `Version ${version}, of revision ${revision}, has been compacted. The oldest revision that can be read is ${oldestRevision}.`
  return new RegistryError('COMPACTED', message, { version, oldestRevision })
}

/** The problem of applying or reverting a compacted version. */
export function versionCompactedProblem(version: number, revision: number, oldestRevision: number): Problem {
  return { code: 'COMPACTED', message: versionCompactedError(version, revision, oldestRevision).message }
}
