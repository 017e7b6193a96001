import type { Json } from '../entry/json.js'
import type { CompileRegex } from './compiled-regex.js'
import type { CriteriaLimits } from './criteria-limits.js'
import type { Field } from './field.js'
import { type GlobToken, globLiteral, parseGlob } from './glob.js'
import { invalidCriteria, typeInWords } from './invalid-criteria.js'
import { isStorableText } from './storable-text.js'

/** The operand types of finder operators, with the form of a checked operand. */
export interface Operands {
  readonly value: Json
  readonly list: readonly Json[]
  readonly boolean: boolean
  readonly text: string
  readonly glob: Glob
  readonly regex: string
}
export type OperandType = keyof Operands

export interface Glob {
  readonly pattern: string
  /** The text that a glob without wildcards stands for. */
  readonly literal: string | undefined
}

/** An operand as the caller sent it. */
export interface SubmittedOperand {
  /** The find key, or the path within the filter. Error messages name it. */
  readonly key: string
  readonly field: Field
  readonly value: unknown
}

export interface OperandContext {
  readonly limits: CriteriaLimits
  readonly compileRegex: CompileRegex
}

type Check<Type extends OperandType> = (operand: SubmittedOperand, context: OperandContext) => Operands[Type]

const CHECKS: { readonly [Type in OperandType]: Check<Type> } = {
  value: checkValue,
  list: ({ key, field, value: values }, { limits }) => {
    if (!Array.isArray(values)) throw invalidCriteria(key, `expected a list, got ${typeInWords(values)}`)
    return values.map((value) => checkValue({ key, field, value }, { limits }))
  },
  boolean: ({ key, value }) => {
    if (typeof value !== 'boolean') throw invalidCriteria(key, `expected true or false, got ${typeInWords(value)}`)
    return value
  },
  text: checkPattern,
  glob: (operand, context) => {
    const pattern = checkPattern(operand, context)
    return { pattern, literal: globLiteral(tokensOf(operand.key, pattern)) }
  },
  regex: ({ key, value }, { limits, compileRegex }) => {
    const pattern = checkString(key, value)
    limits.pattern(key, pattern)
    if (!isStorableText(pattern)) {
      throw invalidCriteria(key, 'the regular expression has U+0000 or a lone surrogate, which no entry can hold')
    }
    limits.regex(key)
    try {
      compileRegex(pattern)
    } catch (error) {
      throw invalidCriteria(key, `invalid regular expression: ${(error as Error).message}`)
    }
    return pattern
  },
}

/**
 * Checks an operand's type and the limits of its criteria.
 *
 * Ids, namespaces and names are NFC-normalised when they are written, so operands on root fields are normalised too.
 * Regular expressions are not: their text is syntax.
 * @throws RegistryError INVALID_CRITERIA naming the key
 */
export function checkOperand<Type extends OperandType>(
  type: Type,
  operand: SubmittedOperand,
  context: OperandContext,
): Operands[Type] {
  return CHECKS[type](operand, context)
}

/**
 * A meta field by its dotted path.
 * @throws RegistryError INVALID_CRITERIA naming the key
 */
export function metaField(key: string, path: string, limits: CriteriaLimits): Field {
  if (path === '') throw invalidCriteria(key, 'the name of the meta field is empty')
  limits.field(key, path)
  return { meta: path }
}

function checkValue({ key, field, value }: SubmittedOperand, { limits }: Pick<OperandContext, 'limits'>): Json {
  limits.value(key, value)
  return 'root' in field ? checkString(key, value).normalize('NFC') : (value as Json)
}

function checkPattern({ key, field, value }: SubmittedOperand, { limits }: OperandContext): string {
  const text = checkString(key, value)
  const pattern = 'root' in field ? text.normalize('NFC') : text
  limits.pattern(key, pattern)
  return pattern
}

function checkString(key: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidCriteria(key, `expected a string, got ${typeInWords(value)}`)
  return value
}

function tokensOf(key: string, pattern: string): readonly GlobToken[] {
  try {
    return parseGlob(pattern)
  } catch (error) {
    throw invalidCriteria(key, `invalid glob: ${(error as Error).message}`)
  }
}
