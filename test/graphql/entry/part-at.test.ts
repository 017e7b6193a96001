import { describe, expect, it } from 'vitest'
import { partAt } from '../../../src/graphql/entry/part-at.js'

const value = JSON.parse(`{
  "a": {"b": {"c": 1}, "list": [10, {"x": "y"}, null], "nothing": null},
  "a.flat": "flat", "a.b": "hidden by the path", "": "empty", "0": "zero", "__proto__": {"own": true}, "": {"": 5}
}`) as unknown

describe('partAt', () => {
  it.each([
    ['a.b.c', 1],
    ['a.list', [10, { x: 'y' }, null]],
    ['a.list.0', 10],
    ['a.list.1.x', 'y'],
    ['a.nothing', null],
    ['a.list.2', null],
    ['a.flat', 'flat'],
    ['a.b', { c: 1 }],
    ['0', 'zero'],
    ['__proto__.own', true],
    ['', { '': 5 }],
    ['.', 5],
  ])('%s is found', (path, part) => {
    expect(partAt(value, path)).toEqual(part)
  })

  it.each([
    'b',
    'a.c',
    'a.b.c.d',
    'a.list.3',
    'a.list.01',
    'a.list.-1',
    'a.list.length',
    'toString',
    'a.constructor',
    'a.b.c.toFixed',
    'a.nothing.x',
    'a..b',
  ])('%s is not there', (path) => {
    expect(partAt(value, path)).toBeUndefined()
  })

  it('finds nothing in a value that is neither an object nor a list', () => {
    for (const scalar of [null, 1, 'text', true]) expect(partAt(scalar, 'length')).toBeUndefined()
  })

  it('uses an index of a list at the top', () => {
    expect(partAt([[1, 2]], '0.1')).toBe(2)
  })
})
