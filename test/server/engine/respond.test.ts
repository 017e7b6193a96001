import { describe, expect, it } from 'vitest'
import { createRespond, type GraphQLReply, type GraphQLRequest } from '../../../src/server/engine/respond.js'
import type { FastPath } from '../../../src/server/fast-path/fast-path.js'

const REQUEST: GraphQLRequest = {
  body: '{"query":"{ currentVersion { number } }"}',
  author: null,
  params: () => ({ query: '{ currentVersion { number } }', operationName: null, variables: {} }),
  signal: () => new AbortController().signal,
  client: () => ({ group: '', connection: {} }),
}

const NOTHING: FastPath = {
  answerFromCache: () => false,
  forgetAnswers: () => undefined,
  answerEntry: () => false,
  answer: () => null,
}

describe('respond', () => {
  it.each(['answerFromCache', 'answerEntry', 'answer'] as const)('reports what %s throws to the transport', (step) => {
    const failure = new Error('broken')
    const broken = () => {
      throw failure
    }
    const failures: unknown[] = []
    const reply: GraphQLReply = {
      begin() {},
      refuse: broken,
      answer: broken,
      stream: broken,
      fail: (error) => failures.push(error),
    }
    createRespond({ ...NOTHING, [step]: broken }, broken, () => failure as never, 1_000)(REQUEST, reply)
    expect(failures).toEqual([failure])
  })
})
