import { compileBusPattern } from '../../core/events/bus-pattern.js'
import type { OnFailure, Participant } from './participant.js'
import { proposalJson } from './proposal-json.js'
import { checkAnswer } from './webhook-participant.js'

/** What a plugin is asked and told: the proposal by GraphQL's field names, a copy of its own. */
export type PluginProposal = Readonly<Record<string, unknown>>

/** A participant as a plugin writes it. */
export interface PluginParticipant {
  readonly name: string
  /** Bus patterns of kinds of entry; all when left out. */
  readonly kinds?: readonly string[]
  readonly onFailure?: OnFailure
  readonly timeoutSeconds?: number
  /** `true`, `false`, or `{accept, reason}`; an error is a failure. */
  propose(proposal: PluginProposal, signal: AbortSignal): unknown
  /** Of begin, commit, discard and inverse operations. */
  tell?(proposal: PluginProposal): unknown
}

/** A participant as transactions ask it. @throws TypeError, InvalidBusPattern on what cannot be used */
export function adaptPluginParticipant(given: PluginParticipant, operationMs: number): Participant {
  const { name, kinds = ['**'], onFailure = 'refuse', timeoutSeconds } = given
  if (typeof name !== 'string' || name === '') throw new TypeError('a participant needs a name')
  const fault = (what: string) => new TypeError(`the participant "${name}" ${what}`)
  if (typeof given.propose !== 'function') throw fault('needs a function "propose"')
  if (given.tell !== undefined && typeof given.tell !== 'function') throw fault('has a "tell" that is no function')
  if (onFailure !== 'refuse' && onFailure !== 'pass')
    throw fault('has an "onFailure" that is neither "refuse" nor "pass"')
  if (!Array.isArray(kinds)) throw fault('has "kinds" that are no list')
  if (timeoutSeconds !== undefined && !(timeoutSeconds > 0))
    throw fault('has a "timeoutSeconds" that is no positive number')
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
