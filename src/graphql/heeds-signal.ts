/** The extensions of a query's or mutation's field whose resolver looks at the context's signal: what runs it must give one that aborts. */
export const HEEDS_SIGNAL = { heedsSignal: true } as const
