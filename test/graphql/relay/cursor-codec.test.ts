import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import type { RegistryError } from '../../../src/core/errors/registry-error.js'
import { entryCursors, numberCursors } from '../../../src/graphql/relay/cursor-codec.js'

const HERE = '0f8e1c52-1111-4222-8333-444444444444'
const THERE = '1f8e1c52-1111-4222-8333-444444444444'

const versions = numberCursors(HERE, 'versions')
const byId = entryCursors(HERE, 'entries', 'ID_ASC')
const place = { id: parseEntryId('app:db: "ünï" 😀'), revision: 7, readAt: 9 }

function refused(read: () => unknown): void {
  expect(read).toThrow(expect.objectContaining({ code: 'INVALID_CURSOR' }) as RegistryError)
}

describe('a cursor', () => {
  it('decodes to the position that was encoded', () => {
    expect(byId.decode(byId.encode(place))).toEqual(place)
    fc.assert(
      fc.property(fc.maxSafeNat(), (position) => {
        expect(versions.decode(versions.encode(position))).toBe(position)
      }),
    )
  })

  it('needs no escaping in a URL', () => {
    expect(byId.encode(place)).toMatch(/^[A-Za-z0-9_-]+$/)
  })

  it('is refused for another list, order or registry', () => {
    refused(() => numberCursors(HERE, 'transitions').decode(versions.encode(1)))
    refused(() => versions.decode(byId.encode(place)))
    refused(() => byId.decode(versions.encode(1)))
    refused(() => entryCursors(HERE, 'entries', 'ID_DESC').decode(byId.encode(place)))
    refused(() => entryCursors(HERE, 'snapshot', 'ID_ASC').decode(byId.encode(place)))
    refused(() => numberCursors(THERE, 'versions').decode(versions.encode(1)))
  })

  it('is refused if it was not issued by the registry', () => {
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const ours = JSON.parse(Buffer.from(byId.encode(place), 'base64url').toString()) as unknown[]
    for (const cursor of [
      '',
      'garbage',
      ' ',
      '%%%',
      `${versions.encode(1)} `,
      `${versions.encode(1)}=`,
      forged({}),
      forged([]),
      forged(1),
      forged(null),
      forged(ours.slice(0, 3)),
      forged(ours.slice(0, 4)),
      forged([...ours, 1]),
      forged([ours[0], ours[1], 'no colon', 1, 1]),
      forged([ours[0], ours[1], 'a:b', -1, 1]),
      forged([ours[0], ours[1], 'a:b', '1', 1]),
      forged([ours[0], ours[1], 'a:b', 1, '1']),
      // A page contains nothing that is newer than the page.
      forged([ours[0], ours[1], 'a:b', 8, 7]),
      forged([ours[0], ours[1], 7, 7, 7]),
      'x'.repeat(100_000),
    ]) {
      refused(() => byId.decode(cursor))
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (cursor) => {
        refused(() => versions.decode(cursor))
      }),
    )
    fc.assert(
      fc.property(
        fc.json().map((json) => Buffer.from(json).toString('base64url')),
        (cursor) => {
          refused(() => versions.decode(cursor))
        },
      ),
    )
  })
})
