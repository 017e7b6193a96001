import { z } from 'zod'

/** The dotted keys of a configuration schema, as documents write them: `participants[].name`. */
export function keysOf(schema: z.core.$ZodType, prefix = ''): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return keysOf(schema.unwrap(), prefix)
  if (schema instanceof z.ZodArray && schema.element instanceof z.ZodObject)
    return keysOf(schema.element, `${prefix}[]`)
  if (!(schema instanceof z.ZodObject)) return [prefix]
  return Object.entries(schema.shape).flatMap(([key, inner]) =>
    keysOf(inner as z.core.$ZodType, prefix === '' ? key : `${prefix}.${key}`),
  )
}
