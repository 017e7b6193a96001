import type { BusEvent } from '../../../src/core/events/bus-event.js'
import { compileBusPattern } from '../../../src/core/events/bus-pattern.js'
import type {
  Participant,
  ParticipantAnswer,
  ParticipantDirectory,
  Proposal,
} from '../../../src/registry/participants/participant.js'

export type Word = boolean | string | Promise<ParticipantAnswer>

/** A participant that records its proposals. An answer that is a string rejects with that reason. */
export interface Witness extends Participant {
  readonly heard: Proposal[]
  /** The proposals as text: `entry.create a:1`, in parentheses if no answer is awaited. */
  story(): string[]
}

export function witness(
  name: string,
  answer: (proposal: Proposal, nth: number) => Word = () => true,
  rest: Partial<Participant> = {},
): Witness {
  const heard: Proposal[] = []
  let offers = 0
  return {
    name,
    kinds: ['**'],
    onFailure: 'refuse',
    timeoutMs: 5_000,
    heard,
    async offer(proposal) {
      heard.push(proposal)
      const word = answer(proposal, offers++)
      if (typeof word === 'boolean') return word ? { accept: true } : { accept: false, reason: null }
      return typeof word === 'string' ? { accept: false, reason: word } : word
    },
    async notify(proposal) {
      heard.push(proposal)
    },
    story: () =>
      heard.map(({ kind, entry, original, awaitsAnswer }) => {
        const text = [kind, (entry ?? original)?.id].filter(Boolean).join(' ')
        return awaitsAnswer ? text : `(${text})`
      }),
    ...rest,
  }
}

export function directoryOf(...participants: Participant[]): ParticipantDirectory {
  return {
    forKinds: async (kinds) =>
      participants.filter((participant) => participant.kinds.some((pattern) => kinds.some(compileBusPattern(pattern)))),
    hasAny: async () => participants.length > 0,
  }
}

/** A bus that records its events. */
export function recordingBus() {
  const events: BusEvent[] = []
  return {
    events,
    publish: (event: BusEvent) => {
      events.push(event)
    },
    hasListeners: () => true,
    story: () =>
      events.map((event) =>
        event.type === 'entry'
          ? `${event.kind} ${event.entryId}${event.participant === null ? '' : ` by ${event.participant}${event.reason === null ? '' : `: ${event.reason}`}`}`
          : `${event.kind}${event.error === null ? '' : `: ${event.error}`}`,
      ),
  }
}

export function deferred<Value>() {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
