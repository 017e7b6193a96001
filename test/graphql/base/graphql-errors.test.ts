import { GraphQLError } from 'graphql'
import { describe, expect, it } from 'vitest'
import { RegistryError } from '../../../src/core/errors/registry-error.js'
import { isCallerError, toGraphQLError } from '../../../src/graphql/base/graphql-errors.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { historyOptions } from '../../support/commit-requests.js'
import { openGateway } from '../schema-fixture.js'

describe('an error of the registry', () => {
  const cause = new RegistryError('COMPACTED', 'too old', { oldestRevision: 7 })

  it('keeps its code and details, however often it was wrapped', () => {
    for (const error of [
      cause,
      new GraphQLError('too old', { originalError: cause }),
      new GraphQLError('too old', { originalError: new GraphQLError('too old', { originalError: cause }) }),
    ]) {
      expect(isCallerError(error)).toBe(true)
      expect(toGraphQLError(error).toJSON()).toEqual({
        message: 'too old',
        extensions: { code: 'COMPACTED', oldestRevision: 7 },
      })
    }
  })

  it('keeps its location in the document and its path', async () => {
    const gateway = openGateway()
    const { errors } = await gateway.run(
      '{\n  a: version(number: 0) { number }\n  b: snapshot(at: {version: 9}) { revision } }',
    )
    expect(errors[0]!.toJSON()).toMatchObject({
      path: ['b'],
      locations: [{ line: 3, column: 3 }],
      extensions: { code: 'VERSION_NOT_FOUND' },
    })
    await gateway.close()
  })
})

describe('an error of graphql-js', () => {
  it('is meant for the caller and has a code', async () => {
    const gateway = openGateway()
    expect(await gateway.code('{ nonsense }')).toBe('BAD_USER_INPUT')
    expect(await gateway.code('{ entry(')).toBe('BAD_USER_INPUT')
    expect(await gateway.code('query ($n: Int!) { versions(first: $n) { totalCount } }', { n: 'x' })).toBe(
      'BAD_USER_INPUT',
    )
    await gateway.close()
  })
})

describe('any other error', () => {
  it('is not meant for the caller and has no code', async () => {
    const broken = new Proxy(openMemoryHistory(historyOptions), {
      get: (target, name) =>
        name === 'namespaces'
          ? () => {
              throw new TypeError('a secret')
            }
          : (Reflect.get(target, name) as unknown),
    })
    const gateway = openGateway(broken)
    const { errors } = await gateway.run('{ namespaces { name } }')
    expect(isCallerError(errors[0])).toBe(false)
    expect(errors[0]!.extensions['code']).toBeUndefined()
    expect(isCallerError(new TypeError('a secret'))).toBe(false)
    expect(toGraphQLError('thrown').message).toBe('thrown')
    await gateway.close()
  })
})
