import type { EntryContent } from '../../core/entry/entry.js'
import { nameOf, namespaceOf } from '../../core/entry/entry-id.js'
import type { Proposal } from './participant.js'

/**
 * Writes a proposal as JSON with the field names of GraphQL. The stored texts of contents are inserted unchanged,
 * because parsing and printing them again would lose -0.
 */
export function proposalJson({ id, transaction, kind, entry, original, awaitsAnswer, deadline }: Proposal): string {
  const fields = {
    id: JSON.stringify(id),
    transaction: JSON.stringify(transaction),
    kind: JSON.stringify(kind),
    entryId: JSON.stringify((entry ?? original)?.id ?? null),
    entry: contentJson(entry),
    original: contentJson(original),
    awaitsAnswer: String(awaitsAnswer),
    deadline: JSON.stringify(deadline),
  }
  return `{${Object.entries(fields)
    .map(([name, text]) => `"${name}":${text}`)
    .join(',')}}`
}

function contentJson(entry: EntryContent | null): string {
  if (entry === null) return 'null'
  const { id, content } = entry
  const head = JSON.stringify({ entryId: id, ns: namespaceOf(id), name: nameOf(id), kind: content.kind })
  return `${head.slice(0, -1)},"meta":${content.metaText},"data":${content.dataText}}`
}
