import type { Version } from '../../core/history/version.js'
import type { Loaders } from './loaders.js'

/** Loads a version that the registry itself refers to. @throws Error if it is missing: the store is damaged */
export async function loadVersion(number: number, { loaders }: { loaders(): Loaders }): Promise<Version> {
  const version = await loaders().version.load(number)
  if (version === null) throw new Error(`Version ${number} is referenced but missing from the store`)
  return version
}
