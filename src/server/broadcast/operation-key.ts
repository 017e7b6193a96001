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

/** Arguments that say where a stream begins: they are over once it has. */
const BEGINNING: readonly string[] = ['after', 'initial']

const CONTENT: readonly string[] = ['entryId', 'ns', 'name', 'kind', 'meta', 'data', 'digest', 'revision', 'version']

/** Fields of what follows the log that say nothing but what the log says. */
const TIMELESS: Readonly<Record<string, readonly string[]>> = {
  Subscription: ['changes'],
  ChangeBatch: ['cursor', 'revision', 'version', 'changes', 'complete', 'synced'],
  Version: ['number', 'author', 'message', 'createdAt', 'digest'],
  EntryChange: ['kind', 'entryId', 'revision', 'entry', 'previous'],
  EntryRevision: ['id', ...CONTENT],
  EntryState: CONTENT,
}

/** What can be told of a subscription by its document alone. */
export interface SubscriptionShape {
  /** Variables that only say where it begins. */
  readonly beginning: ReadonlySet<string>
  /** Whether nothing in it depends on when it is worked out. */
  readonly timeless: boolean
}

export function subscriptionShape(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): SubscriptionShape {
  const roots = operation.selectionSet.selections.filter(
    (selection): selection is FieldNode => selection.kind === Kind.FIELD,
  )
  const named = new Set(
    roots
      .flatMap(({ arguments: given = [] }) => given.filter(isBeginning).map(variableOf))
      .filter((name) => name !== null),
  )
  const uses = new Map<string, number>()
  let timeless = true
  const types = new TypeInfo(schema)
  visit(
    document,
    visitWithTypeInfo(types, {
      [Kind.VARIABLE_DEFINITION]: () => false,
      [Kind.VARIABLE]: ({ name }) => void uses.set(name.value, (uses.get(name.value) ?? 0) + 1),
      [Kind.FIELD]: ({ name }) => {
        const parent = types.getParentType()
        timeless &&=
          name.value === '__typename' ||
          (parent !== null &&
            parent !== undefined &&
            TIMELESS[getNamedType(parent).name]?.includes(name.value) === true)
      },
    }),
  )
  const beginning = new Set([...named].filter((name) => uses.get(name) === 1))
  return { beginning, timeless }
}

/** The same for operations of one document that ask the same from wherever they stand. */
export function operationKey(
  form: SubscriptionShape,
  operationName: string | null,
  variables: Readonly<Record<string, unknown>>,
): string {
  const kept = Object.entries(variables)
    .filter(([name]) => !form.beginning.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([operationName, kept])
}

function isBeginning({ name }: ArgumentNode): boolean {
  return BEGINNING.includes(name.value)
}

function variableOf({ value }: ArgumentNode): string | null {
  return value.kind === Kind.VARIABLE ? value.name.value : null
}
