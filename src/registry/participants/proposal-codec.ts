import { decodeContent, encodeContent } from '../../store/planning/event-codec.js'
import type { Proposal } from './participant.js'

/** A proposal as it travels between gateways. */
export function writeProposal(proposal: Proposal): string {
  return JSON.stringify({
    ...proposal,
    entry: encodeContent(proposal.entry),
    original: encodeContent(proposal.original),
  })
}

export function readProposal(text: string): Proposal {
  const { entry, original, deadline, ...rest } = JSON.parse(text)
  return {
    ...rest,
    entry: decodeContent(entry),
    original: decodeContent(original),
    deadline: deadline === null ? null : new Date(deadline),
  }
}
