import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SourceForm } from '../../src/sources/forms/source-form.js'
import { compileRules, runJob } from '../../src/sources/parsing/run-job.js'
import { startTestGateway, type TestGateway } from './gateway-fixture.js'

/*
 * Ids enter by many paths: requests, files of each form, registries. Ids with U+200B, U+202E or U+FEFF were accepted by
 * all of them. Every path must refuse the same ids, and understand the others in the same way.
 */

/** Characters that cannot be seen: format characters, default ignorables that are not format characters, and more. */
const INVISIBLE =
  '\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a\u202e\u2060\u2061\u2064\u2066\u2069\u206a\u3164\ufe00\ufe0f\ufeff\uffa0\ufff9\u{e0001}\u{e0020}\u{e007f}\u{e0100}\u{1d173}'
const invisible = fc.constantFrom(...INVISIBLE)
const text = fc.string({
  unit: fc.constantFrom('a', 'B', '7', '-', '.', 'e\u0301', 'é', 'ü', '中', 'ا', '\u{1f600}', '\ufffd'),
  minLength: 1,
  maxLength: 5,
})
const parts = fc.record({ ns: text, name: text })

interface Parts {
  readonly ns: string
  readonly name: string
}
/** Returns the id as it was understood, or null if it was refused as invalid. */
type Path = (id: Parts) => Promise<string | null>

const textOf = ({ ns, name }: Parts) => `${ns}:${name}`
/** JSON in ASCII, which is YAML and a GraphQL literal too. */
const ascii = (value: unknown) =>
  JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

describe('an id is refused or understood alike', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway('memory')
  })
  afterAll(() => gateway.close())

  const RESULT = `__typename
    ... on Applied { delta { operations { entryId } } }
    ... on Refused { problems { code entryId } }`
  async function applied(argument: string, variables: object = {}, declared = ''): Promise<string | null> {
    const { result } = await gateway.data(
      `mutation ${declared} { result: applyChangeset(input: ${argument}) { ${RESULT} } }`,
      variables as Record<string, unknown>,
    )
    if (result.__typename === 'Applied') return result.delta.operations[0].entryId
    const [{ code, entryId }] = result.problems
    return code === 'INVALID_ENTRY' ? null : code === 'ENTRY_NOT_FOUND' ? entryId : `${code} ${entryId}`
  }
  const byVariable = (operation: object) =>
    applied('$input', { input: { dryRun: true, operations: [operation] } }, '($input: ApplyChangesetInput!)')
  const byLiteral = (id: string) => applied(`{dryRun: true, operations: [{create: {id: ${id}, kind: "k"}}]}`)

  const inFile =
    (form: SourceForm, location: string, write: (id: Parts) => string): Path =>
    async (id) => {
      const rules = compileRules({ form, schemas: [], entryBytes: 10_000 })
      const type = location.startsWith('page') ? 'page' : 'file'
      const { entries, failures } = await runJob({ type, location, text: write(id) }, rules, () =>
        Promise.reject(new Error('no file is needed')),
      )
      expect(entries.length + failures.length).toBe(1)
      return entries[0]?.[0] ?? null
    }
  const mapping = { id: 'given', kind: '"k"', meta: '{}', data: 'null' }

  const PATHS: Readonly<Record<string, Path>> = {
    'a create': (id) => byVariable({ create: { id: textOf(id), kind: 'k' } }),
    'a create in parts': ({ ns, name }) => byVariable({ create: { id: { ns, name }, kind: 'k' } }),
    'an update': (id) => byVariable({ update: { id: textOf(id), kind: 'k' } }),
    'a delete': (id) => byVariable({ delete: { id: textOf(id) } }),
    'a delete in parts': ({ ns, name }) => byVariable({ delete: { id: { ns, name } } }),
    'a literal': (id) => byLiteral(ascii(textOf(id))),
    'a literal in parts': ({ ns, name }) => byLiteral(`{ns: ${ascii(ns)}, name: ${ascii(name)}}`),
    'a literal of raw characters': (id) => byLiteral(JSON.stringify(textOf(id))),
    parseId: async (id) => {
      const { data, errors } = await gateway.query(`{ parseId(id: ${ascii(textOf(id))}) { ns name } }`)
      if (errors.length === 0) return textOf(data.parseId)
      expect(errors[0]!.extensions['code']).toBe('BAD_USER_INPUT')
      return null
    },
    'a wippy file': inFile(
      'wippy',
      'a.yaml',
      ({ ns, name }) => `namespace: ${ascii(ns)}\nname: ${ascii(name)}\nkind: k\n`,
    ),
    'a wippy list': inFile('wippy', 'a.json', ({ ns, name }) =>
      JSON.stringify({ namespace: ns, entries: [{ name, kind: 'k' }] }),
    ),
    'an entry file': inFile('entry', 'a.yml', (id) => `id: ${ascii(textOf(id))}\nkind: k\n`),
    'an entry file in parts': inFile('entry', 'a.json', (id) => JSON.stringify({ id, kind: 'k' })),
    'JSON lines': inFile('entry', 'a.jsonl', (id) => `${JSON.stringify({ id: textOf(id), kind: 'k' })}\n`),
    'a mapping': inFile(mapping, 'a.yaml', (id) => `given: ${ascii(textOf(id))}\n`),
    'a page': inFile('entry', 'page', (id) => JSON.stringify([{ id: textOf(id), kind: 'k' }])),
    'a page of a mapping': inFile(mapping, 'page', (id) => JSON.stringify([{ given: textOf(id) }])),
  }
  const onEveryPath = async (id: Parts) =>
    Object.fromEntries(
      await Promise.all(Object.entries(PATHS).map(async ([name, path]) => [name, await path(id)] as const)),
    )
  const everywhere = (understood: string | null) =>
    Object.fromEntries(Object.keys(PATHS).map((name) => [name, understood]))

  it('if it has an invisible character anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(parts, invisible, fc.boolean(), fc.nat(), async (id, character, isInName, at) => {
        const part = isInName ? id.name : id.ns
        const units = [...part]
        // Behind an ideograph or an emoji, a variation selector says which form is meant.
        units.splice(at % (units.length + 1), 0, 'x', character)
        const faulty = { ...id, [isInName ? 'name' : 'ns']: units.join('') }
        expect(await onEveryPath(faulty)).toEqual(everywhere(null))
      }),
      { numRuns: 150 },
    )
  })

  it('if it is `client:root`', async () => {
    expect(await onEveryPath({ ns: 'client', name: 'root' })).toEqual(everywhere(null))
  })

  it('if it has none, in its normalised form', async () => {
    await fc.assert(
      fc.asyncProperty(parts, async (id) => {
        expect(await onEveryPath(id)).toEqual(everywhere(textOf(id).normalize('NFC')))
      }),
      { numRuns: 100 },
    )
  })
})
