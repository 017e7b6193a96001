import { Ajv, type ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import type { ConfigIssue, JsonSchema, StandardSchema } from '../../store/contract/provider.js'

const OPTIONS = { allErrors: true, useDefaults: true, strict: false, messages: true } as const
type Draft = typeof Ajv | typeof Ajv2020
/**
 * Tell whether something is a schema, and keep nothing of it. One for each draft: to be able to tell, each compiles the draft's own
 * schema first, which takes 25 ms.
 */
const checkers = new Map<Draft, InstanceType<Draft>>()

/**
 * A JSON Schema (draft-07, or 2020-12 where `$schema` says so) as a Standard Schema: all that is wrong is told, defaults
 * are filled in, and what was given is not touched. @throws Error where it is no schema
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

/** Ajv's messages say what was wanted; what was there is not among them, as it may be a secret. */
function issueOf({ instancePath, keyword, params, message = 'does not fit' }: ErrorObject): ConfigIssue {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step))
  if (keyword === 'additionalProperties')
    return { path: [...path, params['additionalProperty'] as string], message: 'is not a key that means anything' }
  if (keyword === 'required') return { path: [...path, params['missingProperty'] as string], message: 'is missing' }
  if (keyword === 'enum')
    return {
      path,
      message: `must be one of ${(params['allowedValues'] as unknown[]).map((each) => JSON.stringify(each)).join(', ')}`,
    }
  return { path, message }
}
