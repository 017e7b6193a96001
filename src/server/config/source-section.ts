import { z } from 'zod'
import { CONFLICTS, MISSING, type SourceSettings } from '../../sources/contract/source-settings.js'

/** @bound Characters of a source's name, which is part of the author of its changesets. */
const LONGEST_NAME = 100

/** One item of `sources`. Its provider checks the other keys. */
const source = z.looseObject({
  name: z
    .string()
    .min(1)
    .max(LONGEST_NAME)
    .regex(/^[^\u0000-\u0020\u007f-\u009f/]+$/, 'must have no white space, / or control characters'),
  provider: z.string().min(1),
  watch: z.boolean().optional(),
  missing: z.enum(MISSING).optional(),
  conflict: z.enum(CONFLICTS).optional(),
  allowEmpty: z.boolean().optional(),
})

export const sourceSection = z
  .array(source)
  .superRefine((sources, context) => {
    const names = sources.map(({ name }) => name)
    const repeated = new Set(names.filter((name, i) => names.indexOf(name) !== i))
    for (const name of repeated) context.addIssue({ code: 'custom', message: `two sources have the name "${name}"` })
  })
  .nullish()

/** A configured source: the settings of every source, and the options of its provider. */
export interface SourceConfig extends SourceSettings {
  readonly options: Readonly<Record<string, unknown>>
}

export function sourceConfigs(section: z.infer<typeof sourceSection>): SourceConfig[] {
  return (section ?? []).map(
    ({ name, provider, watch = true, missing = 'delete', conflict = 'source', allowEmpty = false, ...options }) => ({
      name,
      provider,
      watch,
      missing,
      conflict,
      allowEmpty,
      options,
    }),
  )
}
