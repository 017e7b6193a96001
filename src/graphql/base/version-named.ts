import type { Version } from '../../core/history/version.js'
import type { RequestContext } from './context.js'

/** A version that the registry itself names, so that it must be there. */
export async function versionNamed(number: number, { loaders }: RequestContext): Promise<Version> {
  const version = await loaders().version.load(number)
  if (version === null) throw new Error(`version ${number} is named in the registry and is not there`)
  return version
}
