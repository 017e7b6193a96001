import { Ajv, type ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import type { ConfigIssue, JsonSchema, StandardSchema } from '../../store/contract/provider.js'

const OPTIONS = { allErrors: true, useDefaults: true, strict: false, messages: true } as const
type Draft = typeof Ajv | typeof Ajv2020
/**
 * Validate schemas without storing them. There is one instance per draft, because each compiles the draft's meta-schema
 * first, which takes 25 ms.
 */
const checkers = new Map<Draft, InstanceType<Draft>>()

/**
 * Compiles a JSON Schema (draft-07, or 2020-12 if `$schema` names it) to a Standard Schema. It reports all issues and fills in
 * defaults in a copy. @throws Error if it is not a schema
 */
export function compileConfigSchema(schema: JsonSchema): StandardSchema {
  const draft = String(schema['$schema'] ?? '').includes('2020-12') ? Ajv2020 : Ajv
  const checker = checkers.get(draft) ?? new draft(OPTIONS)
  checkers.set(draft, checker)
  void checker.validateSchema(schema, true)
  const ajv = new draft({ ...OPTIONS, validateSchema: false })
  ajvFormats.default(ajv)
  const fits = ajv.compile(schema)
  return {
    '~standard': {
      version: 1,
      vendor: 'cadastre',
      validate(value) {
        const copy = structuredClone(value)
        return fits(copy) ? { value: copy } : { issues: (fits.errors ?? []).map(issueOf) }
      },
    },
  }
}

/** Ajv's messages name the expected value only, never the given one, which may be a secret. */
function issueOf({ instancePath, keyword, params, message = 'does not fit' }: ErrorObject): ConfigIssue {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step))
  if (keyword === 'additionalProperties')
    return { path: [...path, params['additionalProperty'] as string], message: 'is not a known key' }
  if (keyword === 'required') return { path: [...path, params['missingProperty'] as string], message: 'is missing' }
  if (keyword === 'enum')
    return {
      path,
      message: `must be one of ${(params['allowedValues'] as unknown[]).map((each) => JSON.stringify(each)).join(', ')}`,
    }
  return { path, message }
}
