import { z } from 'zod'
import { compileBusPattern } from '../../core/events/bus-pattern.js'
import { compileMapping } from '../forms/mapping.js'

const mapping = z
  .strictObject({
    id: z.string(),
    kind: z.string(),
    meta: z.string().optional(),
    data: z.string().optional(),
    each: z.string().optional(),
  })
  .superRefine((expressions, context) => {
    try {
      compileMapping(expressions)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })

const busPattern = z.string().superRefine((text, context) => {
  try {
    compileBusPattern(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
})

/** The form of a source's documents. */
export const formConfig = z.union([z.enum(['entry', 'wippy']), mapping], 'must be entry, wippy or a mapping')

/** Maps bus patterns of kinds to JSON Schema files, relative to the configuration. */
export const schemasConfig = z.record(busPattern, z.string().min(1)).default({})
