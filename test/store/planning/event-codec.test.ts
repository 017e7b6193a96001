import { describe, expect, it } from 'vitest'
import { SealedContent } from '../../../src/core/entry/entry.js'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import { type BusEvent, busEvent } from '../../../src/core/events/bus-event.js'
import { type EventKindOf, kindsOf } from '../../../src/core/events/event-kinds.js'
import { decodeEvent, encodeEvent, eventBytes } from '../../../src/store/planning/event-codec.js'

const id = parseEntryId('a:b')
const at = new Date('2026-01-31T12:00:00.123Z')
const content = new SealedContent('k', '{"b":1,"a":-0}', '[1.0]', 'd'.repeat(64))

const EVENTS: { readonly [Type in BusEvent['type']]: (kind: EventKindOf<Type>) => BusEvent } = {
  transaction: (kind) =>
    busEvent(kind, { path: 't', at, transaction: 't', operationCount: 2, revision: 3, error: 'dry run' }),
  entry: (kind) =>
    busEvent(kind, {
      path: id,
      at,
      transaction: 't',
      entryId: id,
      entry: { id, content },
      original: null,
      participant: 'policy',
      reason: 'no',
    }),
  source: (kind) => busEvent(kind, { path: 'app', at, created: 1, updated: 2, deleted: 3, failed: 4, error: null }),
}

const events = (Object.keys(EVENTS) as BusEvent['type'][]).flatMap((type) =>
  kindsOf(type).map((kind) => (EVENTS[type] as (kind: unknown) => BusEvent)(kind)),
)

describe('the event codec', () => {
  it.each(events.map((event) => [event.kind, event] as const))('reads %s as it was written', (_, event) => {
    expect(decodeEvent(encodeEvent(event))).toEqual(event)
  })

  it('sends the texts of contents unchanged', () => {
    const decoded = decodeEvent(encodeEvent(EVENTS.entry('entry.create')))
    expect(decoded.type === 'entry' && decoded.entry?.content).toMatchObject({
      metaText: content.metaText,
      dataText: content.dataText,
      digest: content.digest,
    })
  })

  it('counts contents and errors in the size of an event', () => {
    const fixed = eventBytes(EVENTS.source('source.reloaded'))
    expect(eventBytes(EVENTS.transaction('registry.discard')) - fixed).toBe('dry run'.length)
    expect(eventBytes(EVENTS.entry('entry.create')) - fixed).toBe(content.metaText.length + content.dataText.length)
  })
})
