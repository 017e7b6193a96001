import type { CorruptionPart } from '../contract/history.js'

/** Reports one stored value that differs from what was written. `where` is the place, for example `v3` or `r7/ns:name`. */
export type ReportCorruption = (part: CorruptionPart, where: string, message: string) => void
