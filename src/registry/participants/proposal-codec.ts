import { decodeContent, encodeContent } from '../../store/planning/event-codec.js'
import type { Proposal } from './participant.js'

/** Encodes a proposal for another gateway. */
export function writeProposal(proposal: Proposal): string {
  return JSON.stringify({
    ...proposal,
    entry: encodeContent(proposal.entry),
    original: encodeContent(proposal.original),
  })
}

/** Decodes a proposal that `writeProposal` encoded. */
export function readProposal(text: string): Proposal {
  const { entry, original, deadline, ...rest } = JSON.parse(text)
  return {
    ...rest,
    entry: decodeContent(entry),
    original: decodeContent(original),
    deadline: deadline === null ? null : new Date(deadline),
  }
}
