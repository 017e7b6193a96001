import { readContent, writeContent } from '../../store/planning/event-codec.js'
import type { Proposal } from './participant.js'

/** A proposal as it travels between gateways. */
export function writeProposal(proposal: Proposal): string {
  return JSON.stringify({ ...proposal, entry: writeContent(proposal.entry), original: writeContent(proposal.original) })
}

export function readProposal(text: string): Proposal {
  const { entry, original, deadline, ...rest } = JSON.parse(text)
  return {
    ...rest,
    entry: readContent(entry),
    original: readContent(original),
    deadline: deadline === null ? null : new Date(deadline),
  }
}
