import { type BusEvent, busEvent, type ReceivedEvent } from '../../core/events/bus-event.js'
import type { Bus } from '../../store/contract/exchange.js'
import { eventBytes } from '../../store/planning/event-codec.js'
import { Inbox } from './inbox.js'
import { parseBusPattern } from './parse-bus-pattern.js'

export interface BusLimits {
  /** The maximum number of events that may wait for one subscriber. */
  readonly waitingEvents: number
  /** The maximum size of those events, unless a single event is larger. */
  readonly waitingBytes: number
}

export const BUS_LIMITS: BusLimits = {
  /** @bound Events that wait for a subscriber of the bus. */
  waitingEvents: 1_000,
  /** @bound Size of the events that wait for a subscriber of the bus, unless a single event is larger. */
  waitingBytes: 1024 * 1024,
}

/** Bus patterns that select events. Null matches everything. */
export interface EventFilter {
  readonly system: string | null
  readonly kind: string | null
  readonly path: string | null
}

/**
 * Delivers events live. A subscriber receives the events that any gateway publishes from now on. Events that it does
 * not read in time are dropped and counted.
 */
export class EventBus {
  constructor(
    private readonly bus: Bus,
    private readonly limits: BusLimits = BUS_LIMITS,
  ) {}

  /** Publishes an event without waiting for subscribers. */
  publish(event: BusEvent): void {
    this.bus.publish(event)
  }

  /** Whether an event may have a subscriber on any gateway, as of the last query of the exchange or newer. */
  hasListeners(): boolean {
    return this.bus.hasListeners()
  }

  /**
   * Subscribes to events. Resolves when the subscription is active.
   * @throws RegistryError BAD_USER_INPUT if a pattern does not parse, UNAVAILABLE
   */
  async subscribe(filter: EventFilter, signal: AbortSignal): Promise<AsyncIterableIterator<ReceivedEvent>> {
    const matches = compileFilter(filter)
    const inbox = new Inbox<ReceivedEvent>(signal)
    const stop = await this.bus.listen({
      event: (event) => {
        if (matches(event)) this.#deliver(inbox, event)
      },
      missed: (count) => miss(inbox, count),
    })
    const leave = () => void stop().catch(() => {})
    if (inbox.ended.aborted) leave()
    else inbox.ended.addEventListener('abort', leave, { once: true })
    return inbox
  }

  #deliver(inbox: Inbox<ReceivedEvent>, event: BusEvent): void {
    const bytes = eventBytes(event)
    const { waitingEvents, waitingBytes } = this.limits
    // After a gap, an inbox has to drain to one half first. Otherwise the subscriber would miss every second event.
    const share = inbox.last?.type === 'missed' ? 0.5 : 1
    const fits = inbox.size === 0 || (inbox.size < waitingEvents * share && inbox.bytes + bytes <= waitingBytes * share)
    if (fits) inbox.push(event, bytes)
    else miss(inbox, 1)
  }
}

/** Counts missed events in the last item of the inbox if that is a count already. */
function miss(inbox: Inbox<ReceivedEvent>, count: number): void {
  const { last } = inbox
  if (last?.type === 'missed') Object.assign(last, { count: last.count + count })
  else inbox.push(busEvent('registry.missed', { path: 'bus', at: new Date(), count }), 0)
}

function compileFilter({ system, kind, path }: EventFilter): (event: BusEvent) => boolean {
  const tests = (
    [
      ['system', system],
      ['kind', kind],
      ['path', path],
    ] as const
  ).flatMap(([field, pattern]) => (pattern === null ? [] : [{ field, matches: parseBusPattern(pattern, field) }]))
  return (event) => tests.every(({ field, matches }) => matches(event[field]))
}
