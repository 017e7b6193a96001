import { RegistryError } from '../../core/errors/registry-error.js'
import type { At } from '../../registry/reading/resolve-revision.js'
import { builder } from './builder.js'
import type { RequestContext } from './request-context.js'

export const AtRef = builder.inputType('At', {
  description: 'A state of the registry, named in one of four ways.',
  isOneOf: true,
  fields: (t) => ({
    version: t.field({ type: 'SafeInt', description: 'The state when this version first was the head.' }),
    revision: t.field({
      type: 'SafeInt',
      description: 'The state after this movement of the head; 0 is the empty registry.',
    }),
    time: t.field({
      type: 'DateTime',
      description: 'The state at this time: empty before the first movement, the head in the future.',
    }),
    tag: t.string({ description: 'The state of the version that this tag stands on.' }),
  }),
})

export interface AtInput {
  readonly version?: number | null | undefined
  readonly revision?: number | null | undefined
  readonly time?: Date | null | undefined
  readonly tag?: string | null | undefined
}

/** The revision that a caller means. @throws RegistryError as `Registry.revisionAt` does */
export async function revisionFrom(
  at: AtInput | null | undefined,
  { registry, loaders }: RequestContext,
): Promise<number> {
  return at == null ? (await loaders().head()).revision : registry.revisionAt(exactAt(at))
}

function exactAt({ version, revision, time, tag }: AtInput): At {
  if (version != null) return { version }
  if (revision != null) return { revision }
  if (time != null) return { time: withinYears(time) }
  if (tag != null) return { tag }
  throw new RegistryError('BAD_USER_INPUT', 'at: give one of version, revision, time and tag')
}

const EARLIEST = new Date(0)
const LATEST = new Date('9999-12-31T23:59:59.999Z')

/** No head has moved outside of these years, and not every store can spell them. */
function withinYears(time: Date): Date {
  if (time < EARLIEST) return EARLIEST
  return time > LATEST ? LATEST : time
}
