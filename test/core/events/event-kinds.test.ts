import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { busEvent } from '../../../src/core/events/bus-event.js'
import { EVENT_KINDS, EVENT_TYPES, type EventType, kindsOf } from '../../../src/core/events/event-kinds.js'

const SRC = join(import.meta.dirname, '../../../src')

/** The code outside the table, without comments. */
const code = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('event-kinds.ts'))
  .map((file) => readFileSync(join(SRC, file), 'utf8').replace(/^\s*(\/\*\*|\*|\/\/).*$/gm, ''))
  .join('\n')

describe('the table of event kinds', () => {
  it('has no kind that nothing publishes', () => {
    expect(Object.keys(EVENT_KINDS).filter((kind) => !code.includes(`'${kind}'`))).toEqual([])
  })

  it('has a kind for each type', () => {
    const types = Object.keys(EVENT_TYPES) as EventType[]
    expect(types.filter((type) => kindsOf(type).length === 0)).toEqual([])
  })

  it('gives an event its type and system', () => {
    const at = new Date(0)
    expect(busEvent('registry.missed', { path: 'bus', at, count: 2 })).toEqual({
      type: 'missed',
      system: 'registry',
      kind: 'registry.missed',
      path: 'bus',
      at,
      count: 2,
    })
  })
})
