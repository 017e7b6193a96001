import { readFileSync } from 'node:fs'
import { buildSchema, type GraphQLObjectType } from 'graphql'
import { describe, expect, it } from 'vitest'
import { rootVersionRow } from '../../../src/store/planning/plan-changeset.js'

const schema = buildSchema(readFileSync(new URL('../../../schema/schema.graphql', import.meta.url), 'utf8'))
const fieldsOf = (type: string) => Object.keys((schema.getType(type) as GraphQLObjectType).getFields())

/** Stored fields of a version that `Version` does not expose under their own names, and how a client reads them. */
const READ_OTHERWISE: Readonly<Record<string, string>> = {
  parent: 'Version.previous',
  revision: 'Snapshot.revision',
  created: 'Changeset.created',
  updated: 'Changeset.updated',
  deleted: 'Changeset.deleted',
}

describe('the stored fields of a version', () => {
  const { changeset: _, ...version } = rootVersionRow(new Date(0))

  it.each(Object.keys(version))('%s can be read by clients', (field) => {
    const [type, name] = (READ_OTHERWISE[field] ?? `Version.${field}`).split('.')
    expect(fieldsOf(type!)).toContain(name)
  })
})
