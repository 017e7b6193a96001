import type { Criteria, FieldTest } from '../../../core/criteria/criteria.js'
import { parseGlob } from '../../../core/criteria/glob.js'
import { requiredLiteral } from './required-literal.js'
import { globPrefix } from './text-sql.js'

/** A trigram index has nothing to look up for a shorter text. */
const SHORTEST = 3

/**
 * Whether some condition that every match must meet is on a text within an id, namespace or name, which trigrams serve
 * and the order of ids does not.
 */
export function selectsByTrigram(criteria: Criteria): boolean {
  if ('all' in criteria) return criteria.all.some(selectsByTrigram)
  if ('any' in criteria) return criteria.any.length > 0 && criteria.any.every(selectsByTrigram)
  if ('not' in criteria) return false
  return 'root' in criteria.field && criteria.field.root !== 'kind' && soughtText(criteria.test).length >= SHORTEST
}

/** The longest text that is sought anywhere, not at the beginning alone; empty where there is none. */
function soughtText(test: FieldTest): string {
  switch (test.operator) {
    case 'contains':
    case 'suffix':
      // Of a text over the colon either half may be all that a name is asked for.
      return longest(test.text.split(':'))
    case 'glob': {
      const tokens = parseGlob(test.pattern)
      return globPrefix(tokens) === '' ? longest(tokens.filter((token) => typeof token === 'string')) : ''
    }
    case 'regex': {
      const literal = requiredLiteral(test.pattern)
      return literal === undefined || literal.anchored ? '' : literal.text
    }
    default:
      return ''
  }
}

function longest(texts: readonly string[]): string {
  return texts.reduce((a, b) => (b.length > a.length ? b : a), '')
}
