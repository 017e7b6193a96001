import { invalidCriteria } from './invalid-criteria.js'

/*
 * Limits of criteria. They bound the time of parsing, of matching one entry and of planning the SQL. Each is far above what
 * a person or a page uses.
 */
/** @bound Nesting of criteria. */
export const MAX_NESTING = 32
/** @bound Conditions and filters in criteria. */
export const MAX_CONDITIONS = 1_000
/** @bound Regular expressions in criteria. Compiling one may take several milliseconds. */
export const MAX_REGEXES = 20
/** @bound UTF-16 units of a glob, a regular expression or a searched text. */
export const MAX_PATTERN_LENGTH = 1_000
/** @bound Characters of a field's path in criteria. */
const MAX_FIELD_LENGTH = 1_000
/** @bound Segments of one path in criteria. */
export const MAX_PATH_SEGMENTS = 32
/**
 * @bound Segments of all paths in criteria. With MAX_VALUES it keeps a statement well below Postgres' 65,535
 * parameters.
 */
const MAX_SEGMENTS = 10_000
/** @bound JSON values in criteria, including the elements of lists and objects. */
export const MAX_VALUES = 10_000
/** @bound Nesting of a value in criteria. */
export const MAX_VALUE_NESTING = 64
/** @bound UTF-16 units of all texts in criteria, as many as one entry may hold. */
export const MAX_VALUE_LENGTH = 1_048_576

/** Counts the size of one criteria. Every method throws RegistryError INVALID_CRITERIA above a limit. */
export class CriteriaLimits {
  #conditions = 0
  #regexes = 0
  #segments = 0
  #values = 0
  #valueLength = 0

  condition(key: string, nesting: number): void {
    if (nesting > MAX_NESTING) throw invalidCriteria(key, `it is nested more than ${MAX_NESTING} deep`)
    if (++this.#conditions > MAX_CONDITIONS)
      throw invalidCriteria(key, `the criteria have more than ${MAX_CONDITIONS} conditions`)
  }

  field(key: string, path: string): void {
    if (path.length > MAX_FIELD_LENGTH)
      throw invalidCriteria(key, `the field has more than ${MAX_FIELD_LENGTH} characters`)
    const segments = path.split('.').length
    if (segments > MAX_PATH_SEGMENTS) throw invalidCriteria(key, `the path has more than ${MAX_PATH_SEGMENTS} segments`)
    this.#segments += segments
    if (this.#segments > MAX_SEGMENTS)
      throw invalidCriteria(key, `the paths of the criteria have more than ${MAX_SEGMENTS} segments`)
  }

  pattern(key: string, pattern: string): void {
    if (pattern.length > MAX_PATTERN_LENGTH) {
      throw invalidCriteria(key, `the pattern has more than ${MAX_PATTERN_LENGTH} characters`)
    }
  }

  regex(key: string): void {
    if (++this.#regexes > MAX_REGEXES)
      throw invalidCriteria(key, `the criteria have more than ${MAX_REGEXES} regular expressions`)
  }

  /** Also checks that the value is JSON, because a GraphQL scalar may pass something else. */
  value(key: string, value: unknown, nesting = 0): void {
    if (nesting > MAX_VALUE_NESTING)
      throw invalidCriteria(key, `the value is nested more than ${MAX_VALUE_NESTING} deep`)
    if (++this.#values > MAX_VALUES) throw invalidCriteria(key, `the criteria have more than ${MAX_VALUES} values`)
    if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return
    if (typeof value === 'string') return this.#text(key, value)
    if (Array.isArray(value)) {
      for (const element of value) this.value(key, element, nesting + 1)
      return
    }
    if (typeof value === 'symbol')
      throw invalidCriteria(key, `the value holds a number that no entry can hold: ${value.description}`)
    if (typeof value !== 'object') throw invalidCriteria(key, `the value is a ${typeof value}, not JSON`)
    for (const [name, member] of Object.entries(value)) {
      this.#text(key, name)
      this.value(key, member, nesting + 1)
    }
  }

  #text(key: string, text: string): void {
    this.#valueLength += text.length
    if (this.#valueLength > MAX_VALUE_LENGTH) {
      throw invalidCriteria(key, `the values of the criteria have more than ${MAX_VALUE_LENGTH} characters`)
    }
  }
}
