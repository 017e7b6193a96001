import { compileBusPattern } from '../../core/events/bus-pattern.js'
import type { OnFailure, Participant } from './participant.js'
import { proposalJson } from './proposal-json.js'
import { checkAnswer } from './webhook-participant.js'

/** A proposal as a plugin receives it: a copy of its own, with the field names of GraphQL. */
export type PluginProposal = Readonly<Record<string, unknown>>

/** A participant as a plugin defines it. */
export interface PluginParticipant {
  readonly name: string
  /** Bus patterns of kinds of entry. By default all kinds. */
  readonly kinds?: readonly string[]
  readonly onFailure?: OnFailure
  readonly timeoutSeconds?: number
  /** Returns `true`, `false` or `{accept, reason}`. An error is a failure. */
  propose(proposal: PluginProposal, signal: AbortSignal): unknown
  /** Receives begin, commit, discard and inverse operations. */
  tell?(proposal: PluginProposal): unknown
}

/**
 * Converts a plugin's participant to one that transactions can ask.
 * @throws TypeError if a field is not valid, InvalidBusPattern
 */
export function adaptPluginParticipant(given: PluginParticipant, operationMs: number): Participant {
  const { name, kinds = ['**'], onFailure = 'refuse', timeoutSeconds } = given
  if (typeof name !== 'string' || name === '') throw new TypeError('A participant needs a name')
  const fault = (what: string) => new TypeError(`The participant "${name}" ${what}`)
  if (typeof given.propose !== 'function') throw fault('has no function "propose"')
  if (given.tell !== undefined && typeof given.tell !== 'function') throw fault('has a "tell" that is not a function')
  if (onFailure !== 'refuse' && onFailure !== 'pass')
    throw fault('has an "onFailure" that is neither "refuse" nor "pass"')
  if (!Array.isArray(kinds)) throw fault('has "kinds" that are not a list')
  if (timeoutSeconds !== undefined && !(timeoutSeconds > 0))
    throw fault('has a "timeoutSeconds" that is not a positive number')
  for (const kind of kinds) compileBusPattern(String(kind))
  return {
    name,
    kinds,
    onFailure,
    timeoutMs: timeoutSeconds === undefined ? operationMs : timeoutSeconds * 1_000,
    async offer(proposal, signal) {
      const answer = await given.propose(JSON.parse(proposalJson(proposal)) as PluginProposal, signal)
      return checkAnswer(typeof answer === 'boolean' ? { accept: answer } : answer)
    },
    async notify(proposal) {
      await given.tell?.(JSON.parse(proposalJson(proposal)) as PluginProposal)
    },
  }
}
