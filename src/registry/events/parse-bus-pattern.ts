import { RegistryError } from '../../core/errors/registry-error.js'
import { compileBusPattern, InvalidBusPattern, type MatchBusPattern } from '../../core/events/bus-pattern.js'

/**
 * Compiles a bus pattern that a caller sent as an argument.
 * @throws RegistryError BAD_USER_INPUT with the name of the argument and the fault
 */
export function parseBusPattern(pattern: string, argument: string): MatchBusPattern {
  try {
    return compileBusPattern(pattern)
  } catch (error) {
    if (error instanceof InvalidBusPattern) throw new RegistryError('BAD_USER_INPUT', `${argument}: ${error.message}`)
    throw error
  }
}
