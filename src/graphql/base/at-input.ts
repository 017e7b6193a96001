import { RegistryError } from '../../core/errors/registry-error.js'
import type { At } from '../../registry/reading/resolve-revision.js'
import { builder } from './builder.js'
import type { RequestContext } from './request-context.js'

export const AtRef = builder.inputType('At', {
  description: 'A state of the registry, past or present. Set exactly one field.',
  isOneOf: true,
  fields: (t) => ({
    version: t.field({
      type: 'SafeInt',
      description: 'A version number. Selects the state when this version first became the head.',
    }),
    revision: t.field({
      type: 'SafeInt',
      description: 'A revision number. Selects the state right after this revision; 0 is the empty registry.',
    }),
    time: t.field({
      type: 'DateTime',
      description: 'A point in time. Before the first revision the registry is empty; a future time selects the head.',
    }),
    tag: t.string({ description: 'A tag name. Selects the state of the version that the tag points to.' }),
  }),
})

export interface AtInput {
  readonly version?: number | null | undefined
  readonly revision?: number | null | undefined
  readonly time?: Date | null | undefined
  readonly tag?: string | null | undefined
}

/** Resolves `at` to a revision; the head by default. @throws RegistryError as `Registry.revisionAt` does */
export async function revisionFrom(
  at: AtInput | null | undefined,
  { registry, loaders }: RequestContext,
): Promise<number> {
  return at == null ? (await loaders().head()).revision : registry.revisionAt(exactAt(at))
}

function exactAt({ version, revision, time, tag }: AtInput): At {
  if (version != null) return { version }
  if (revision != null) return { revision }
  if (time != null) return { time: clamped(time) }
  if (tag != null) return { tag }
  throw new RegistryError('BAD_USER_INPUT', 'at: set exactly one of version, revision, time and tag')
}

const EARLIEST = new Date(0)
const LATEST = new Date('9999-12-31T23:59:59.999Z')

/** Limits a time to years that every store can represent. The head has never moved outside of them. */
function clamped(time: Date): Date {
  if (time < EARLIEST) return EARLIEST
  return time > LATEST ? LATEST : time
}
