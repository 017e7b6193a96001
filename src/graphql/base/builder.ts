import SchemaBuilder from '@pothos/core'
import type { SubmittedId } from '../../core/entry/entry-id.js'
import type { RequestContext } from './request-context.js'

/** The schema builder, with the scalars and the request context. Each concept adds its types in a file of its own. */
export const builder = new SchemaBuilder<{
  Context: RequestContext
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    EntryID: { Input: SubmittedId; Output: string }
    JSON: { Input: unknown; Output: unknown }
    JSONObject: { Input: Readonly<Record<string, unknown>>; Output: unknown }
    SafeInt: { Input: number; Output: number }
    DateTime: { Input: Date; Output: Date }
  }
}>({ defaultFieldNullability: false })

builder.queryType({ description: 'Reads of the registry, at the current head or at any earlier state.' })
builder.mutationType({
  description: 'Writes to the registry. A changeset is atomic: it moves the head by one transition or changes nothing.',
})
builder.subscriptionType({
  description:
    'Live streams. `changes` is durable and can be resumed; the others report only what happens while they run.',
})
