import { randomUUID } from 'node:crypto'
import {
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  getNamedType,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'

/** Arguments that choose where a stream begins. They have no effect afterwards. */
const START_ARGUMENTS: readonly string[] = ['after', 'initial']

const CONTENT: readonly string[] = ['entryId', 'ns', 'name', 'kind', 'meta', 'data', 'digest', 'revision', 'version']

/** Fields whose values depend on the log only, not on the head at the time of their computation. */
const LOG_ONLY: Readonly<Record<string, readonly string[]>> = {
  Subscription: ['changes'],
  ChangeBatch: ['cursor', 'revision', 'version', 'changes', 'complete', 'synced'],
  Version: ['number', 'author', 'message', 'createdAt', 'digest'],
  EntryChange: ['kind', 'entryId', 'revision', 'entry', 'previous'],
  EntryRevision: ['id', ...CONTENT],
  EntryState: CONTENT,
}

/** Properties of a subscription's document that decide how it is shared. */
export interface SubscriptionShape {
  /** Variables that only choose where the stream begins. */
  readonly startVariables: ReadonlySet<string>
  /** Whether every selected field depends on the log only. */
  readonly isLogOnly: boolean
}

export function subscriptionShape(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): SubscriptionShape {
  const roots = operation.selectionSet.selections.filter(
    (selection): selection is FieldNode => selection.kind === Kind.FIELD,
  )
  const candidates = new Set(
    roots
      .flatMap(({ arguments: given = [] }) => given.filter(isStartArgument).map(variableOf))
      .filter((name) => name !== null),
  )
  const uses = new Map<string, number>()
  let isLogOnly = true
  const types = new TypeInfo(schema)
  visit(
    document,
    visitWithTypeInfo(types, {
      [Kind.VARIABLE_DEFINITION]: () => false,
      [Kind.VARIABLE]: ({ name }) => void uses.set(name.value, (uses.get(name.value) ?? 0) + 1),
      [Kind.FIELD]: ({ name }) => {
        const parent = types.getParentType()
        isLogOnly &&=
          name.value === '__typename' ||
          (parent !== null &&
            parent !== undefined &&
            LOG_ONLY[getNamedType(parent).name]?.includes(name.value) === true)
      },
    }),
  )
  const startVariables = new Set([...candidates].filter((name) => uses.get(name) === 1))
  return { startVariables, isLogOnly }
}

/**
 * Returns a key that is equal for subscriptions of one document that differ only in where they begin. Variables that JSON
 * cannot write, such as a number that no double holds, are going to be refused and share nothing.
 */
export function operationKey(
  { startVariables }: SubscriptionShape,
  operationName: string | null,
  variables: Readonly<Record<string, unknown>>,
): string {
  const others = Object.entries(variables)
    .filter(([name]) => !startVariables.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  try {
    return JSON.stringify([operationName, others], (_, value: unknown) => {
      if (typeof value === 'symbol') throw new TypeError('a symbol')
      return value
    })
  } catch {
    return randomUUID()
  }
}

function isStartArgument({ name }: ArgumentNode): boolean {
  return START_ARGUMENTS.includes(name.value)
}

function variableOf({ value }: ArgumentNode): string | null {
  return value.kind === Kind.VARIABLE ? value.name.value : null
}
