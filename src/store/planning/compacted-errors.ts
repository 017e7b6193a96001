import type { Problem } from '../../core/errors/problem.js'
import { RegistryError } from '../../core/errors/registry-error.js'

/** A read below what is kept. */
export function compactedError(revision: number, oldestRevision: number): RegistryError {
  const message = `revision ${revision} has been compacted away; the oldest that can be read is ${oldestRevision}`
  return new RegistryError('COMPACTED', message, { oldestRevision })
}

/** A place in the log below what is kept. */
export function logCompactedError(revision: number, oldestRevision: number): RegistryError {
  const message = `the changes since revision ${revision} are gone: the oldest revision to be had is ${oldestRevision}; begin anew with \`initial\``
  return new RegistryError('COMPACTED', message, { oldestRevision })
}

export function versionCompactedError(version: number, revision: number, oldestRevision: number): RegistryError {
  const message = `version ${version}, of revision ${revision}, has been compacted away; the oldest revision that is kept is ${oldestRevision}`
  return new RegistryError('COMPACTED', message, { version, oldestRevision })
}

/** Why a version can be neither applied nor reverted. */
export function versionCompactedProblem(version: number, revision: number, oldestRevision: number): Problem {
  return { code: 'COMPACTED', message: versionCompactedError(version, revision, oldestRevision).message }
}
