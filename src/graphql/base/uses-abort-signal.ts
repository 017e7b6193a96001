import type { GraphQLField } from 'graphql'

/** The extensions of a query's or mutation's field whose resolver looks at the context's signal: what runs it must give one that aborts. */
export const HEEDS_SIGNAL = { heedsSignal: true } as const

export function heedsSignal({ extensions }: GraphQLField<unknown, unknown>): boolean {
  return (extensions as Partial<typeof HEEDS_SIGNAL>).heedsSignal === true
}
