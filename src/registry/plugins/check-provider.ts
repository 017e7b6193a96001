import type { Provider } from '../../store/contract/provider.js'
import { ProviderError } from './provider-error.js'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** @bound Characters of a text with which a provider describes itself. */
const LONGEST_TEXT = 2_000

/**
 * Checks a provider. Plugins may pass any value.
 * @throws ProviderError INVALID_PROVIDER that names every fault
 */
export function checkProvider(role: string, given: Provider): void {
  const faults: string[] = []
  const { name, displayName, version, description, capabilities, configSchema } = (given ?? {}) as Partial<
    Record<keyof Provider, unknown>
  >
  if (typeof name !== 'string' || !NAME.test(name))
    faults.push('"name" must be 1 to 64 letters, digits, "-", "_" or ".", the first a letter or digit')
  for (const [field, text] of Object.entries({
    version,
    description,
    ...(displayName !== undefined && { displayName }),
  })) {
    if (typeof text !== 'string' || text === '' || text.length > LONGEST_TEXT)
      faults.push(`"${field}" must be a text of 1 to ${LONGEST_TEXT} characters`)
  }
  if (
    capabilities !== undefined &&
    !(Array.isArray(capabilities) && capabilities.every((each) => typeof each === 'string' && each !== ''))
  ) {
    faults.push('"capabilities" must be a list of texts')
  }
  if ((typeof configSchema !== 'object' && typeof configSchema !== 'function') || configSchema === null) {
    faults.push('"configSchema" must be a Standard Schema or a JSON Schema')
  }
  if (typeof given?.create !== 'function') faults.push('"create" must be a function')
  for (const field of ['onRegister', 'health'] as const) {
    if (given?.[field] !== undefined && typeof given[field] !== 'function')
      faults.push(`"${field}" must be a function or missing`)
  }
  if (faults.length === 0) return
  const which =
    typeof name === 'string' && name !== '' ? `The ${role} provider "${name.slice(0, 64)}"` : `A ${role} provider`
  throw new ProviderError('INVALID_PROVIDER', `${which} cannot be registered: ${faults.join('; ')}`)
}
