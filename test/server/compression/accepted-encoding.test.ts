import { describe, expect, it } from 'vitest'
import { acceptedEncoding } from '../../../src/server/compression/accepted-encoding.js'

describe('the encoding that a client likes best', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=0.5, gzip', 'gzip'],
    ['br;q=0, gzip;q=0', undefined],
    ['*', 'br'],
    ['*;q=0.1, br;q=0', 'gzip'],
    ['identity, gzip;q=0.5', undefined],
    ['identity;q=0.5, gzip', 'gzip'],
    ['GZIP ; Q=1.0', 'gzip'],
    ['br;q=x', undefined],
    ['deflate', undefined],
  ])('is of %s %s', (header, encoding) => {
    expect(acceptedEncoding(['br', 'gzip'], header)).toBe(encoding)
  })
})
