import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import {
  decodeChangeset,
  encodeChangeset,
  type StoredChangeset,
  versionDigest,
} from '../../../src/store/planning/changeset-codec.js'
import { sha256 } from '../../../src/store/planning/sha256.js'

function changeset(count: number, textLength: number): StoredChangeset {
  return {
    number: 7,
    parent: 6,
    author: 'ünïcödé',
    message: null,
    createdAt: new Date(1_700_000_000_123),
    operations: Array.from({ length: count }, (_, i) => ({
      kind: i % 3 === 0 ? ('DELETE' as const) : ('CREATE' as const),
      id: parseEntryId(`a:${i}`),
      content:
        i % 3 === 0 ? null : { kind: 'k', metaText: `{"n":${i}}`, dataText: JSON.stringify('é'.repeat(textLength)) },
    })),
  }
}

/** All of it in one piece, as earlier releases encoded it. */
function packedAtOnce({ number, parent, author, message, createdAt, operations }: StoredChangeset): Buffer {
  const kinds = ['CREATE', 'UPDATE', 'DELETE']
  const rows = operations.map(({ kind, id, content }) =>
    content === null
      ? [kinds.indexOf(kind), id]
      : [kinds.indexOf(kind), id, content.kind, content.metaText, content.dataText],
  )
  const packr = new Packr({ useRecords: false, variableMapSize: true })
  return Buffer.from(packr.pack([number, parent, author, message, createdAt.getTime(), rows]))
}

describe('a stored changeset', () => {
  it.each([
    [0, 10],
    [3, 10],
    [20, 300_000],
    [4_000, 200],
    [70_000, 1],
  ])('has the same bytes in pieces as at once: %i operations of %i characters', (count, textLength) => {
    const given = changeset(count, textLength)
    const bytes = runAtOnce(encodeChangeset(given))
    expect(bytes.equals(packedAtOnce(given))).toBe(true)
    expect(decodeChangeset(bytes)).toEqual(given)
    const parent = sha256('parent')
    expect(runAtOnce(versionDigest(parent, bytes))).toBe(sha256(Buffer.concat([Buffer.from(parent, 'hex'), bytes])))
  })
})
