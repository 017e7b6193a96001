import type { GraphQLField } from 'graphql'

/** The extensions of a query's or mutation's field whose resolver looks at the context's signal: what runs it must give one that aborts. */
export const USES_ABORT_SIGNAL = { usesAbortSignal: true } as const

export function usesAbortSignal({ extensions }: GraphQLField<unknown, unknown>): boolean {
  return (extensions as Partial<typeof USES_ABORT_SIGNAL>).usesAbortSignal === true
}
