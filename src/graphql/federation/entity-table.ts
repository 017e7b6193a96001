/** A way to identify an entity: the fields of its `@key`, and the node id that they make. */
export interface EntityKey {
  /** As in `@key(fields:)`. */
  readonly fields: string
  /** Returns the node id, or null if a field has no value that this type can have. */
  nodeId(representation: Readonly<Record<string, unknown>>): string | null
}

export interface EntityRow {
  /** Tried in this order. The first whose fields are all present counts. */
  readonly keys: readonly EntityKey[]
  /** The object types that a representation of this type may stand for. */
  readonly types: readonly string[]
}

const ID: EntityKey = { fields: 'id', nodeId: ({ id }) => textOrNull(id) }

/**
 * The types that other subgraphs may refer to, as in Apollo Federation 2
 * (https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/entities/intro).
 */
export const ENTITIES: Readonly<Record<string, EntityRow>> = {
  Entry: entity('Entry', ID, { fields: 'entryId', nodeId: ({ entryId }) => textOrNull(entryId) }),
  EntryRevision: entity('EntryRevision', ID, {
    fields: 'entryId revision',
    nodeId({ entryId, revision }) {
      const ofRevision = numbered('r', revision)
      return ofRevision === null ? null : prefixed(`${ofRevision}/`, entryId)
    },
  }),
  /** An entity interface, so that other subgraphs can add fields to both by `@interfaceObject`. */
  EntryState: { keys: [ID], types: ['Entry', 'EntryRevision'] },
  Instance: entity('Instance', ID),
  Provider: entity('Provider', {
    fields: 'role name',
    nodeId: ({ role, name }) => (typeof role === 'string' ? prefixed(`provider/${role}/`, name) : null),
  }),
  Snapshot: entity('Snapshot', { fields: 'revision', nodeId: ({ revision }) => numbered('s', revision) }),
  Source: entity('Source', { fields: 'name', nodeId: ({ name }) => prefixed('source/', name) }),
  Tag: entity('Tag', { fields: 'name', nodeId: ({ name }) => prefixed('tag/', name) }),
  Transition: entity('Transition', { fields: 'revision', nodeId: ({ revision }) => numbered('t', revision) }),
  Version: entity('Version', ID, { fields: 'number', nodeId: ({ number }) => numbered('v', number) }),
}

function entity(type: string, ...keys: EntityKey[]): EntityRow {
  return { keys, types: [type] }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function prefixed(prefix: string, value: unknown): string | null {
  return typeof value === 'string' ? prefix + value : null
}

function numbered(prefix: string, value: unknown): string | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? `${prefix}${value as number}` : null
}
