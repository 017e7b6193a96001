import { RegistryError } from '../../core/errors/registry-error.js'
import { compileBusPattern, InvalidBusPattern, type MatchBusPattern } from '../../core/events/bus-pattern.js'

/** A bus pattern that a caller has sent. @throws RegistryError BAD_USER_INPUT naming the argument and what is wrong */
export function parseBusPattern(pattern: string, argument: string): MatchBusPattern {
  try {
    return compileBusPattern(pattern)
  } catch (error) {
    if (error instanceof InvalidBusPattern) throw new RegistryError('BAD_USER_INPUT', `${argument}: ${error.message}`)
    throw error
  }
}
