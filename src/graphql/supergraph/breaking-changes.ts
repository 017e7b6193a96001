import { CriticalityLevel, DiffRule, diff } from '@graphql-inspector/core'
import { transformSupergraphToPublicSchema } from '@theguild/federation-composition'
import { buildASTSchema, type GraphQLSchema, parse } from 'graphql'
import type { CompositionFault, SubgraphText } from './compose-job.js'
import { SHOWN_FAULTS } from './composition-faults.js'

/** A subgraph that the changeset touches: its name, and its SDL before or after. */
export interface TouchedSdl {
  readonly id: SubgraphText['id']
  readonly sdl: string
}

/**
 * The changes between two supergraphs that break clients, by the kinds of GraphQL Inspector. Removing what is deprecated
 * breaks nobody who reads deprecations.
 */
export async function breakingChanges(
  previous: string,
  next: string,
  touched: readonly TouchedSdl[],
): Promise<CompositionFault[]> {
  const changes = await diff(publicSchema(previous), publicSchema(next), [DiffRule.suppressRemovalOfDeprecatedField])
  const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
  const shown = breaking
    .slice(0, SHOWN_FAULTS)
    .map(({ type, message, path }) => ({ id: subgraphOf(path, touched), message: `${type}: ${message}.` }))
  const more = breaking.length - SHOWN_FAULTS
  return more > 0 ? [...shown, { id: shown[0]!.id, message: `and ${more} more breaking changes` }] : shown
}

function publicSchema(supergraph: string): GraphQLSchema {
  const document = transformSupergraphToPublicSchema(parse(supergraph, { noLocation: true }))
  return buildASTSchema(document, { assumeValidSDL: true })
}

/** The touched subgraph that most probably made the change: the one with its field, or else with its type. */
function subgraphOf(path: string | undefined, touched: readonly TouchedSdl[]): TouchedSdl['id'] | null {
  const [type, field] = (path ?? '').split('.')
  const has = (sdl: string, name: string | undefined) =>
    name !== undefined && /^\w+$/.test(name) && new RegExp(`\\b${name}\\b`).test(sdl)
  const withType = touched.filter(({ sdl }) => has(sdl, type))
  const best = withType.find(({ sdl }) => has(sdl, field)) ?? withType[0] ?? touched[0]
  return best?.id ?? null
}
