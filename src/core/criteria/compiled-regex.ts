export interface CompiledRegex {
  test(text: string): boolean
  /** Steps that one character of text may cost at worst. 1 if the engine does not report it. */
  readonly size?: number
}

/**
 * Compiles RE2 syntax. The core has no engine of its own, so the caller passes one in.
 * @throws Error with the fault of the pattern as its message
 */
export type CompileRegex = (pattern: string) => CompiledRegex
