import type { ConfigIssue, Provider, StandardSchema } from '../../store/contract/provider.js'
import { type ProviderConfigIssue, ProviderError } from './provider-error.js'

/**
 * @bound Problems that are reported of one provider's configuration. A list with thousands of faulty items would fill
 * the terminal.
 */
const MOST_ISSUES = 50

/**
 * Validates a configuration and returns the value that its schema produces.
 * @throws ProviderError INVALID_PROVIDER_CONFIG that lists every fault
 */
export async function checkProviderConfig(label: string, schema: StandardSchema, config: unknown): Promise<unknown> {
  const result = await schema['~standard'].validate(config)
  if (result.issues === undefined) return result.value
  const issues = result.issues.slice(0, MOST_ISSUES).map(readIssue)
  const list = issues.map(({ path, message }) => `${path === '' ? 'the configuration' : path}: ${message}`).join('; ')
  throw new ProviderError('INVALID_PROVIDER_CONFIG', `The configuration of the ${label} is not valid: ${list}`, {
    issues,
  })
}

function readIssue({ path = [], message }: ConfigIssue): ProviderConfigIssue {
  const text = path.reduce<string>((before, step) => {
    const key = typeof step === 'object' ? step.key : step
    if (typeof key === 'number') return `${before}[${key}]`
    return before === '' ? String(key) : `${before}.${String(key)}`
  }, '')
  return { path: text, message: `${message.charAt(0).toLowerCase()}${message.slice(1)}` }
}

/** Whether a schema is a Standard Schema, not a JSON Schema. */
export function isStandardSchema(schema: Provider['configSchema']): schema is StandardSchema {
  const standard = (schema as Partial<StandardSchema>)['~standard'] as Partial<StandardSchema['~standard']> | undefined
  return standard?.version === 1 && typeof standard.validate === 'function'
}
