import type { Json } from '../entry/json.js'
import type { CompileRegex, Condition, Field, FieldTest } from './criteria.js'
import { CriteriaLimits } from './criteria-limits.js'
import { globLiteral, parseGlob } from './glob.js'
import { invalidCriteria, typeInWords } from './invalid-criteria.js'
import { isStorableText } from './storable-text.js'

/**
 * Makes conditions out of what a caller sent, for both written forms: checks the type and the bounds, and
 * that patterns can be understood. Every method throws RegistryError INVALID_CRITERIA naming `key`.
 *
 * Ids, namespaces and names are NFC-normalised when they are written, so what they are compared with is
 * too. Regular expressions are taken as they are: their text is syntax.
 */
export class ConditionBuilder {
  readonly bounds = new CriteriaLimits()
  readonly #compileRegex: CompileRegex

  constructor(compileRegex: CompileRegex) {
    this.#compileRegex = compileRegex
  }

  /** A meta field by its dotted path. */
  metaField(key: string, path: string): Field {
    if (path === '') throw invalidCriteria(key, 'the name of the meta field is empty')
    this.bounds.field(key, path)
    return { meta: path }
  }

  equals(key: string, field: Field, value: unknown): Condition {
    return { field, test: { operator: 'equals', value: this.#value(key, field, value) } }
  }

  notEquals(key: string, field: Field, value: unknown): Condition {
    return { field, test: { operator: 'notEquals', value: this.#value(key, field, value) } }
  }

  in(key: string, field: Field, values: unknown): Condition {
    return { field, test: { operator: 'in', values: this.#list(key, field, values) } }
  }

  holdsAll(key: string, field: Field, values: unknown): Condition {
    return { field, test: { operator: 'holdsAll', values: this.#list(key, field, values) } }
  }

  exists(key: string, field: Field, present: unknown): Condition {
    if (typeof present !== 'boolean') throw invalidCriteria(key, `takes true or false, not ${typeInWords(present)}`)
    return { field, test: { operator: 'exists', present } }
  }

  /** A glob without wildcards is equality with the text that it stands for. */
  glob(key: string, field: Field, value: unknown): Condition {
    const pattern = this.#pattern(key, field, value)
    try {
      const literal = globLiteral(parseGlob(pattern))
      return {
        field,
        test: literal === undefined ? { operator: 'glob', pattern } : { operator: 'equals', value: literal },
      }
    } catch (error) {
      throw invalidCriteria(key, `the glob cannot be understood: ${(error as Error).message}`)
    }
  }

  regex(key: string, field: Field, value: unknown): Condition {
    const pattern = this.#text(key, field, value, false)
    this.bounds.pattern(key, pattern)
    if (!isStorableText(pattern)) throw invalidCriteria(key, 'the regular expression has U+0000 or a lone surrogate')
    this.bounds.regex(key)
    try {
      this.#compileRegex(pattern)
    } catch (error) {
      throw invalidCriteria(key, `the regular expression cannot be understood: ${(error as Error).message}`)
    }
    return { field, test: { operator: 'regex', pattern } }
  }

  /** Only meta holds arrays. */
  contains(key: string, field: Field, value: unknown): Condition {
    return {
      field,
      test: { operator: 'contains', text: this.#pattern(key, field, value), inElements: 'meta' in field },
    }
  }

  prefix(key: string, field: Field, value: unknown): Condition {
    return { field, test: { operator: 'prefix', text: this.#pattern(key, field, value) } }
  }

  suffix(key: string, field: Field, value: unknown): Condition {
    return { field, test: { operator: 'suffix', text: this.#pattern(key, field, value) } satisfies FieldTest }
  }

  #pattern(key: string, field: Field, value: unknown): string {
    const text = this.#text(key, field, value, true)
    this.bounds.pattern(key, text)
    return text
  }

  #list(key: string, field: Field, values: unknown): readonly Json[] {
    if (!Array.isArray(values)) throw invalidCriteria(key, `takes a list, not ${typeInWords(values)}`)
    return values.map((value) => this.#value(key, field, value))
  }

  #value(key: string, field: Field, value: unknown): Json {
    this.bounds.value(key, value)
    return 'root' in field ? this.#text(key, field, value, true) : (value as Json)
  }

  #text(key: string, field: Field, value: unknown, normalise: boolean): string {
    if (typeof value !== 'string') throw invalidCriteria(key, `takes a string, not ${typeInWords(value)}`)
    return normalise && 'root' in field ? value.normalize('NFC') : value
  }
}
