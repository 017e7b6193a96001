import {
  buildSchema,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLObjectType,
  parse,
  subscribe,
} from 'graphql'
import { describe, expect, it } from 'vitest'
import { createContext } from '../../../src/graphql/base/request-context.js'
import { AnswerSize } from '../../../src/graphql/results/answer-size.js'
import { resultText } from '../../../src/graphql/results/result-text.js'
import { schema } from '../../../src/graphql/schema.js'
import { compiledSubscription } from '../../../src/server/fast-path/compiled-subscription.js'
import { apply, create, memoryRegistry, remove, update } from '../../registry/registry-fixture.js'

type Subscribe = (args: ExecutionArgs) => Promise<ExecutionResult | AsyncIterable<ExecutionResult>>

/** Returns the text of all results that a client receives, or of the error. */
async function resultsOf(run: Subscribe, args: ExecutionArgs, most = Infinity): Promise<string[]> {
  const results = await run(args)
  if (!(Symbol.asyncIterator in results)) return [resultText(results)]
  const texts: string[] = []
  try {
    for await (const result of results) {
      texts.push(resultText(result))
      if (texts.length === most) break
    }
  } catch (error) {
    texts.push(String(error))
  }
  return texts
}

/** In whatever order the keys of a result stand. */
const parsed = (texts: readonly string[]) =>
  texts.map((text) => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      return text
    }
  })

describe('a compiled subscription', () => {
  const ofThings = buildSchema(`type Query { x: Int } type Subscription { things(from: Int = 0): Thing }
    type Thing { n: Int! name: String list: [Thing!] failing: Int late: Int must: Int! }`)
  const things = (ofThings.getType('Subscription') as GraphQLObjectType).getFields()['things']!
  things.subscribe = async function* (_root: unknown, { from }: { from: number }) {
    for (let n = from; n < 4; n++) yield { n }
    if (from === 3) throw new Error('the source has failed')
  }
  things.resolve = (event: unknown) => event
  const fields = (ofThings.getType('Thing') as GraphQLObjectType).getFields()
  fields['name']!.resolve = async ({ n }: { n: number }) => `no. ${n}`
  fields['list']!.resolve = ({ n }: { n: number }) => Array.from({ length: n }, (_, i) => ({ n: i }))
  fields['failing']!.resolve = () => {
    throw new Error('it fails')
  }
  fields['late']!.resolve = () => Promise.reject(new Error('it fails late'))
  fields['must']!.resolve = ({ n }: { n: number }) => (n % 2 === 0 ? null : n)

  it.each<[string, Record<string, unknown>?]>([
    ['subscription { things { n name list { n name } } }'],
    ['subscription { t: things(from: 2) { ...F failing late } } fragment F on Thing { n __typename }'],
    ['subscription { things { must } }'],
    ['subscription { things { list { must } } }'],
    ['subscription ($from: Int) { things(from: $from) { n } }', { from: 1 }],
    ['subscription ($from: Int) { things(from: $from) { n } }', { from: 'x' }],
    ['subscription ($from: Int) { things(from: $from) { n } }', {}],
    ['subscription ($yes: Boolean!) { things { n name @include(if: $yes) } }', { yes: false }],
    ['subscription ($yes: Boolean = true) { things { n name @include(if: $yes) } }', { yes: null }],
    ['subscription ($from: Int) { things(from: $from) { n } }', { from: 3 }],
  ])('gives the same results as graphql-js: %s %j', async (text, variableValues = {}) => {
    const args = {
      schema: ofThings,
      document: parse(text),
      variableValues,
      contextValue: { answerSize: new AnswerSize(1_000_000) },
    }
    const expected = parsed(await resultsOf(subscribe as Subscribe, args))
    expect(expected.length).toBeGreaterThan(0)
    // The second time it is known.
    for (let i = 0; i < 2; i++) expect(parsed(await resultsOf(compiledSubscription, args))).toEqual(expected)
  })

  it('preserves contents exactly, even with errors beside them', async () => {
    const registry = memoryRegistry()
    await apply(registry, create('a:1', { zero: -0 }, [-0, 1e300, { b: 1, a: '\u2028' }]), create('a:2'))
    await apply(registry, update('a:1', {}, -0), remove('a:2'))
    const document = parse(
      'subscription { changes(initial: true) { revision changes { kind entryId entry { meta data } previous { data(path: "2.a") } } version { number } } }',
    )
    const args = () => ({
      schema,
      document,
      contextValue: createContext({ registry, author: null, signal: new AbortController().signal }),
    })
    const texts = await resultsOf(compiledSubscription, args(), 1)
    expect(texts[0]).toContain('"data":-0')
    expect(texts).toEqual(await resultsOf(subscribe as Subscribe, args(), 1))
    await registry.close()
  })

  it('gives results that can be read like any other', async () => {
    const results = (await compiledSubscription({
      schema: ofThings,
      document: parse('subscription { things { n } }'),
      contextValue: { answerSize: new AnswerSize(1_000_000) },
    })) as AsyncIterable<ExecutionResult>
    for await (const result of results) {
      expect(result).toEqual({ data: { things: { n: 0 } } })
      expect(JSON.stringify(result)).toBe('{"data":{"things":{"n":0}}}')
      break
    }
  })
})
