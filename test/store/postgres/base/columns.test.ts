import { describe, expect, it } from 'vitest'
import { columnNames, columnsOf, pickColumns, selectList } from '../../../../src/store/postgres/base/columns.js'
import { headPointer, reply } from '../../../../src/store/postgres/base/tables.js'

describe('lists of columns', () => {
  it('hold all columns of a table but the omitted ones, in its order', () => {
    expect(columnNames(columnsOf(reply))).toBe('author, key, digest, revision, version, created_at')
    expect(columnNames(columnsOf(reply, ['digest', 'createdAt']))).toBe('author, key, revision, version')
  })

  it('hold the picked columns', () => {
    expect(columnNames(pickColumns(headPointer, ['movedAt', 'revision']))).toBe('revision, moved_at')
  })

  it('select rows that are keyed as in tables.ts', () => {
    const columns = pickColumns(reply, ['key', 'createdAt'])
    expect(selectList(columns, 'r')).toBe('r.key, r.created_at AS "createdAt"')
    expect(selectList(columns, 'r', 'p_')).toBe('r.key AS "p_key", r.created_at AS "p_createdAt"')
  })

  it('name types as casts', () => {
    expect(columnsOf(reply).map(({ type }) => type)).toEqual([
      'text',
      'text',
      'text',
      'bigint',
      'bigint',
      'timestamptz',
    ])
  })
})
