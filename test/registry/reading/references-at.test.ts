import { describe, expect, it } from 'vitest'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import { ReferencesAt } from '../../../src/registry/reading/references-at.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import {
  apply,
  create,
  HISTORY_OPTIONS,
  historyWith,
  references,
  registryOver,
  remove,
  update,
} from '../registry-fixture.js'

const TARGET = { type: 'entry', id: parseEntryId('app:target') } as const
const refersTo = (id: string) => ({ depends_on: [id] })

/** A registry in which `app:source` and `app:other` refer to `app:target` at revision 1. */
async function referring() {
  const history = openMemoryHistory(HISTORY_OPTIONS)
  const registry = registryOver(history)
  const revision = await apply(
    registry,
    create('app:target'),
    create('app:source', refersTo('app:target')),
    create('app:other', refersTo('app:target')),
  )
  return { history, registry, revision }
}

const sources = async (at: ReferencesAt) => (await at.to([TARGET], 100)).map(({ source }) => source)

describe('references at an older revision', () => {
  it('are those of that revision, whatever changed since', async () => {
    const { history, registry, revision } = await referring()
    await apply(registry, update('app:source'), remove('app:other'), create('app:new', refersTo('app:target')))
    expect(await sources(new ReferencesAt(history, references, revision))).toEqual(['app:other', 'app:source'])
    expect(await sources(new ReferencesAt(history, references, revision + 1))).toEqual(['app:new'])
  })

  it('name a source once if it changes right after the index was read', async () => {
    const { history, registry, revision } = await referring()
    const changing = historyWith(history, {
      referencesTo: async (...args) => {
        const rows = await history.referencesTo(...args)
        await apply(registry, update('app:source'))
        return rows
      },
    })
    const at = new ReferencesAt(changing, references, revision)
    expect(await sources(at)).toEqual(['app:other', 'app:source'])
    expect(await sources(at)).toEqual(['app:other', 'app:source'])
  })

  it('miss no source that changes right before the index is read', async () => {
    const { history, registry, revision } = await referring()
    const changing = historyWith(history, {
      referencesTo: async (...args) => {
        await apply(registry, update('app:source'))
        return history.referencesTo(...args)
      },
    })
    expect(await sources(new ReferencesAt(changing, references, revision))).toEqual(['app:other', 'app:source'])
  })
})
