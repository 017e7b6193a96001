import { compileBusPattern } from '../../core/events/bus-pattern.js'
import type { Participant, ParticipantDirectory } from './participant.js'

/** Makes a directory of participants that exist as long as the gateway. */
export function fixedDirectory(participants: readonly Participant[]): ParticipantDirectory {
  const compiled = participants.map((participant) => ({
    participant,
    patterns: participant.kinds.map(compileBusPattern),
  }))
  return {
    forKinds: async (kinds) =>
      compiled
        .filter(({ patterns }) => kinds.some((kind) => patterns.some((matches) => matches(kind))))
        .map(({ participant }) => participant),
    hasAny: async () => participants.length > 0,
    seemsEmpty: () => participants.length === 0,
  }
}

/** Combines directories. They are queried at the same time, and the first one wins if two participants share a name. */
export function combinedDirectory(directories: readonly ParticipantDirectory[]): ParticipantDirectory {
  return {
    async forKinds(kinds) {
      const found = new Map<string, Participant>()
      for (const participant of (await Promise.all(directories.map((each) => each.forKinds(kinds)))).flat()) {
        if (!found.has(participant.name)) found.set(participant.name, participant)
      }
      return [...found.values()]
    },
    async hasAny() {
      const any = await Promise.all(directories.map((each) => each.hasAny?.() ?? true))
      return any.includes(true)
    },
    seemsEmpty: () => directories.every((each) => each.seemsEmpty?.() === true),
  }
}
