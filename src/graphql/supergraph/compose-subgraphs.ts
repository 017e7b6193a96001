import { composeServices } from '@theguild/federation-composition'
import { runAtOnce } from '../../core/algorithms/steps.js'
import { isJsonObject, type Json } from '../../core/entry/json.js'
import { sealContent } from '../../core/entry/seal-content.js'
import { sha256 } from '../../store/planning/sha256.js'
import { breakingChanges, type TouchedSdl } from './breaking-changes.js'
import type { ComposeJob, ComposeResult, CompositionFault, PackedSupergraph, SubgraphText } from './compose-job.js'
import { SUPERGRAPH_KIND } from './compose-options.js'
import { compositionFaults, type ReadSubgraphs } from './composition-faults.js'
import { readSubgraph, type Subgraph } from './read-subgraph.js'

/** @bound Size of a composed supergraph's entry. */
const SUPERGRAPH_BYTES = 64 * 1024 * 1024

/** Composes subgraphs, and compares the result with the previous supergraph. It runs in the composing thread. */
export async function composeSubgraphs(job: ComposeJob): Promise<ComposeResult> {
  const read: (readonly [SubgraphText, Subgraph])[] = []
  const faults: CompositionFault[] = []
  for (const text of job.subgraphs) {
    const subgraph = readSubgraph(text)
    if ('fault' in subgraph) faults.push({ id: text.id, message: subgraph.fault })
    else read.push([text, subgraph])
  }
  if (faults.length > 0) return { faults }
  const composed = supergraphOf(read)
  if ('faults' in composed) return composed
  const previous = job.previous === null ? null : sdlOf(job.previous)
  return {
    supergraph: packed(composed.sdl, read),
    breaking:
      previous === null || previous === composed.sdl
        ? []
        : await breakingChanges(previous, composed.sdl, touchedTexts(job, read)),
  }
}

function supergraphOf(
  read: ReadSubgraphs,
): { readonly sdl: string } | { readonly faults: readonly CompositionFault[] } {
  try {
    const result = composeServices(read.map(([{ name }, { url, document }]) => ({ name, url, typeDefs: document })))
    if (result.errors !== undefined) return { faults: compositionFaults(result.errors, read) }
    return { sdl: result.supergraphSdl }
  } catch (error) {
    const why = error instanceof RangeError ? 'the schemas nest too deeply' : (error as Error).message
    return { faults: [{ id: null, message: `The subgraphs cannot be composed: ${why}.` }] }
  }
}

/** Names every subgraph with the digest of its entry, so that no two states of the subgraphs have the same supergraph. */
function packed(sdl: string, read: ReadSubgraphs): PackedSupergraph {
  const subgraphs = read.map(([{ name, digest }, { url, headers }]) => ({
    name,
    url,
    ...(headers !== null && { headers }),
    digest,
  }))
  const rules = { sha256, maxDepth: 100, maxEntryBytes: SUPERGRAPH_BYTES }
  const sealed = runAtOnce(sealContent({ kind: SUPERGRAPH_KIND, meta: {}, data: { sdl, subgraphs } }, rules))
  if ('faults' in sealed) throw new Error(sealed.faults[0]!.message)
  const { metaText, dataText, digest } = sealed.content
  return [metaText, dataText, digest]
}

/** The SDL in the data of a supergraph's or subgraph's entry; null if it has none. */
function sdlOf(dataText: string): string | null {
  const data = JSON.parse(dataText) as Json
  return isJsonObject(data) && typeof data['sdl'] === 'string' ? data['sdl'] : null
}

/** The previous SDL comes first, because it has what a breaking change removes. */
function touchedTexts({ previousSubgraphs }: ComposeJob, read: ReadSubgraphs): TouchedSdl[] {
  const before = previousSubgraphs.map(({ id, dataText }) => ({ id, sdl: sdlOf(dataText) ?? '' }))
  const after = read.flatMap(([{ id, isTouched }, { sdl }]) => (isTouched ? [{ id, sdl }] : []))
  return [...before, ...after]
}
