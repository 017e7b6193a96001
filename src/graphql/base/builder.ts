import SchemaBuilder from '@pothos/core'
import type { SubmittedId } from '../../core/entry/entry-id.js'
import type { RequestContext } from './request-context.js'

/** Knows the scalars and the context, and no type: those live in one file for each concept. */
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

builder.queryType({ description: 'Reading: the registry as it stands, and as it stood.' })
builder.mutationType({ description: 'Writing: every change of the registry is one movement of its head.' })
builder.subscriptionType({ description: 'Following: what changes, as it changes.' })
