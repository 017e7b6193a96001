import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CODES, type CodeRow, codesOf, isOutageCode, TRANSIENT_CODES } from '../../../src/core/errors/codes.js'

const ROOT = join(import.meta.dirname, '../../..')
const { errorCodesDocument, withoutPadding } = await import(
  new URL('../../../scripts/print-error-codes.mjs', import.meta.url).href
)

/** The code under a folder of src/, without the table itself and without generated types. */
function sourcesIn(folder: string): string {
  return readdirSync(join(ROOT, 'src', folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/errors\/codes\.ts$|gateway-documents\.ts$/.test(file))
    .map((file) => readFileSync(join(ROOT, 'src', folder, file), 'utf8'))
    .join('\n')
}

describe('the table of codes', () => {
  it('has no unused code except the reserved ones', () => {
    const code = sourcesIn('.')
    const rows = Object.entries(CODES) as [string, CodeRow][]
    const unused = rows.filter(([name, row]) => row.isReserved !== true && !code.includes(`'${name}'`))
    expect(unused.map(([name]) => name)).toEqual([])
  })

  it("has each code of the command line's own failures", () => {
    const known = codesOf('cli').map(({ code }) => code as string)
    const thrown = [...sourcesIn('cli').matchAll(/new CommandFailure\([^;]*?'([A-Z][A-Z_]{3,})'/g)].map(
      ([, code]) => code,
    )
    expect(thrown.length).toBeGreaterThan(5)
    expect(thrown.filter((code) => !known.includes(code!))).toEqual([])
  })

  it('documents a meaning for each code', () => {
    const places = [...codesOf('problem'), ...codesOf('error'), ...codesOf('cli')]
    expect(Object.keys(CODES).filter((name) => places.every(({ code }) => code !== name))).toEqual([])
    expect(places.filter(({ meaning }) => !/^[A-Z`].*\.$/.test(meaning))).toEqual([])
  })

  it('matches docs/error-codes.md (`node scripts/print-error-codes.mjs` writes it)', () => {
    const document = readFileSync(join(ROOT, 'docs/error-codes.md'), 'utf8')
    expect(withoutPadding(document)).toBe(withoutPadding(errorCodesDocument(codesOf)))
  })

  it('marks transient errors and outages', () => {
    expect(TRANSIENT_CODES).toEqual(['TIMEOUT', 'UNAVAILABLE'])
    expect(['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'TIMEOUT', 'toString'].filter(isOutageCode)).toEqual([
      'UNAVAILABLE',
      'OUTCOME_UNKNOWN',
    ])
  })
})
