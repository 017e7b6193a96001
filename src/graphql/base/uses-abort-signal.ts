import type { GraphQLField } from 'graphql'

/** Extensions of a query or mutation field whose resolver uses `context.signal`. It is never compiled. */
export const USES_ABORT_SIGNAL = { usesAbortSignal: true } as const

export function usesAbortSignal({ extensions }: GraphQLField<unknown, unknown>): boolean {
  return (extensions as Partial<typeof USES_ABORT_SIGNAL>).usesAbortSignal === true
}
