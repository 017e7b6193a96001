import { describe, expect, it } from 'vitest'
import { kindFault } from '../../../src/core/entry/kind.js'

describe('kindFault', () => {
  it.each(['k', 'function.lua', 'a-b.c_d.0', '-', '_', 'A'.repeat(255)])('accepts %s', (kind) => {
    expect(kindFault(kind)).toBeUndefined()
  })

  it.each(['', '.', 'a.', '.a', 'a..b', 'a b', 'a:b', 'é', 'a\n', 'a/b', '*'])('refuses %j', (kind) => {
    expect(kindFault(kind)).toContain('is not a kind')
  })

  it('refuses more than 255 bytes', () => {
    expect(kindFault('a'.repeat(256))).toContain('255')
  })

  it('shortens a long kind in its message', () => {
    expect(kindFault('é'.repeat(200))!.length).toBeLessThan(200)
  })
})
