import { describe, expect, it } from 'vitest'
import { namespaceFolder } from '../../../src/cli/folder/namespace-folder.js'
import { gatewaySocketUrl, gatewayUrl } from '../../../src/cli/gateway/gateway-url.js'
import { parseAt, parseVersion } from '../../../src/cli/input/parse-at.js'
import { parseCriteria } from '../../../src/cli/input/parse-criteria.js'
import { CommandFailure } from '../../../src/cli/terminal/command-failure.js'

const usage = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof CommandFailure && error.exitCode === 2) return error.message
    throw error
  }
  throw new Error('This was accepted')
}

describe('a point in history', () => {
  it.each([
    ['head', null],
    ['v0', { version: 0 }],
    ['v12', { version: 12 }],
    ['r7', { revision: 7 }],
    ['2026-01-31T12:00:00Z', { time: '2026-01-31T12:00:00.000Z' }],
    ['2026-01-31T12:00:00.250+02:00', { time: '2026-01-31T10:00:00.250Z' }],
    ['2026-01-31T12:00:00', { time: '2026-01-31T12:00:00.000Z' }],
    ['2026-01-31', { time: '2026-01-31T00:00:00.000Z' }],
  ])('can be written %s', (text, at) => {
    expect(parseAt(text)).toEqual(at)
  })

  it.each(['3', 'V3', 'v-1', 'v1.5', 'r', '', 'yesterday', 'v99999999999999999', 'v9999999999999999'])(
    'cannot be written %j',
    (text) => {
      expect(usage(() => parseAt(text))).not.toBe('')
    },
  )

  // The last of November was read as the first of December, a day too late.
  it.each([
    '2026-13-01',
    '2026-11-31',
    '2026-02-29',
    '2026-02-30T12:00:00Z',
    '2026-00-01',
    '2026-01-31T24:00',
    '2026-01-31T12:60',
  ])('cannot be %s, which no calendar has', (text) => {
    expect(usage(() => parseAt(text))).not.toBe('')
  })

  it('may be a leap day', () => {
    expect(parseAt('2028-02-29')).toEqual({ time: '2028-02-29T00:00:00.000Z' })
  })

  it('may be the number alone if only a version is expected', () => {
    expect([parseVersion('3'), parseVersion('v3')]).toEqual([3, 3])
    expect(usage(() => parseVersion('r3'))).toContain('r3 is not a version')
  })
})

describe('criteria', () => {
  it('are pairs of key and value, split at the first equals sign', () => {
    expect(parseCriteria(['.kind=function.*', '^meta.name=user', 'meta.query=a=b'])).toEqual({
      '.kind': 'function.*',
      '^meta.name': 'user',
      'meta.query': 'a=b',
    })
  })

  it('take JSON for fields that may hold JSON, and text for others', () => {
    expect(
      parseCriteria([
        'port=80',
        'on=true',
        'none=null',
        'tags=["a","b"]',
        'zip="80"',
        'size=80GB',
        'note=null and void',
        '*tags=["a"]',
        '*tags.x=80',
        '.name=80',
        '~x=1',
        '*.id=7',
      ]),
    ).toEqual({
      port: 80,
      on: true,
      none: null,
      tags: ['a', 'b'],
      zip: '80',
      size: '80GB',
      note: 'null and void',
      '*tags': ['a'],
      '*tags.x': '80',
      '.name': '80',
      '~x': '1',
      '*.id': '7',
    })
  })

  it('may be one JSON object, and are empty without words', () => {
    expect(parseCriteria(['{".ns": "app", "meta.port": 80}'])).toEqual({ '.ns': 'app', 'meta.port': 80 })
    expect(parseCriteria([])).toEqual({})
    for (const words of [['n=9007199254740993'], ['n=[1, 1e400]'], ['{"n": 12345678901234567890.0}']])
      expect(usage(() => parseCriteria(words))).toContain('holds a number that cannot be kept')
    expect(parseCriteria(['n="9007199254740993"'])).toEqual({ n: '9007199254740993' })
  })

  it.each([[['kind']], [['=x']], [['a=1', 'a=2']], [['{"a":']], [['{"a":1}', 'b=2']]])(
    'are wrong usage if they do not parse: %j',
    (words) => {
      expect(usage(() => parseCriteria(words))).not.toBe('')
    },
  )
})

describe('the address of a gateway', () => {
  it.each([
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000/graphql'],
    ['http://127.0.0.1:4000/', 'http://127.0.0.1:4000/graphql'],
    ['http://127.0.0.1:4000/graphql', 'http://127.0.0.1:4000/graphql'],
    ['localhost:4000', 'http://localhost:4000/graphql'],
    ['https://example.test/registry/', 'https://example.test/registry/graphql'],
    ['ws://example.test/graphql', 'http://example.test/graphql'],
  ])('can be written %s', (given, expected) => {
    expect(gatewayUrl(given).href).toBe(expected)
  })

  it.each(['', 'http://', 'ftp://example.test', 'http://a b'])('cannot be written %j', (given) => {
    expect(usage(() => gatewayUrl(given))).not.toBe('')
  })

  it('becomes a WebSocket URL for subscriptions', () => {
    expect(gatewaySocketUrl(gatewayUrl('https://example.test'))).toBe('wss://example.test/graphql')
  })
})

describe('the folder of a namespace', () => {
  it.each([
    ['app.web', 'app.web'],
    ['.hidden', '%2ehidden'],
    ['..', '%2e.'],
    ['node_modules', '%6eode_modules'],
    ['a\\b', 'a%5cb'],
    ['склад', '%d1%81%d0%ba%d0%bb%d0%b0%d0%b4'],
  ])('of %s is %s', (namespace, folder) => {
    expect(namespaceFolder(namespace)).toBe(folder)
  })

  it('fits a file system, and is unique', () => {
    const [one, two] = [namespaceFolder('ж'.repeat(127)), namespaceFolder(`${'ж'.repeat(126)}з`)]
    expect(Math.max(one.length, two.length)).toBeLessThanOrEqual(200)
    expect(one).not.toBe(two)
  })
})
