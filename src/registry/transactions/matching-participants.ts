import { compileBusPattern, type MatchBusPattern } from '../../core/events/bus-pattern.js'
import type { Operation } from '../../core/ordering/operation.js'
import type { Participant } from '../participants/participant.js'
import { entryKindOf } from './proposals.js'

/** The participants of a transaction, by the kinds of its operations. Entries of internal kinds are offered to none. */
export class MatchingParticipants {
  readonly #matching: readonly { readonly participant: Participant; readonly matches: readonly MatchBusPattern[] }[]

  constructor(
    readonly all: readonly Participant[],
    private readonly internalKinds: ReadonlySet<string>,
  ) {
    this.#matching = all.map((participant) => ({ participant, matches: participant.kinds.map(compileBusPattern) }))
  }

  of(operation: Operation): Participant[] {
    const kind = entryKindOf(operation)
    if (this.internalKinds.has(kind)) return []
    return this.#matching
      .filter(({ matches }) => matches.some((match) => match(kind)))
      .map(({ participant }) => participant)
  }
}
