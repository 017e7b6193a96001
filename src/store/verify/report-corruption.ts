import type { CorruptionPart } from '../contract/history.js'

/** Notes one thing that is not as it was written. */
export type ReportCorruption = (part: CorruptionPart, where: string, message: string) => void
