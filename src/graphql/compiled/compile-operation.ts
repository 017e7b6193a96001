import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql'
import type { RequestContext } from '../base/request-context.js'
import { isJsonText, type JsonText } from '../results/long-text.js'
import { type Conditions, conditionVariables, fragmentsOf } from './collect-fields.js'
import { compileSelectionSet, compileSerially, NotCompilable } from './compile-selection-set.js'
import { compileVariables, type VariableValues } from './compile-variables.js'
import { ErrorCollector, type Execution, type WriteObject } from './execution.js'

export interface CompiledResult {
  /** The JSON text of `data`; null if the variables are invalid and nothing was executed. */
  readonly data: JsonText | null
  readonly errors: readonly GraphQLError[]
}

/**
 * Executes the operation. Two results mean that nothing was done and that graphql-js has to execute it instead: 'too
 * large' if the operation has too many fields, null if it cannot be executed with these variables.
 * @param event - For a subscription: the event from which the result is made
 */
export type CompiledOperation = (
  variables: VariableValues,
  context: RequestContext,
  event?: unknown,
) => CompiledResult | Promise<CompiledResult> | 'too large' | null

/**
 * @bound Variables in `@skip` and `@include` of a compiled operation. Each combination of their values has a plan of
 * its own. Operations with more are executed by graphql-js.
 */
const MAX_CONDITION_VARIABLES = 3

/**
 * Compiles an operation into a function that executes it and writes the result as JSON text.
 * @returns null for operations that graphql-js has to execute: introspection, fields that use the abort signal,
 * and operations with more than `MAX_CONDITION_VARIABLES` condition variables
 */
export function compileOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): CompiledOperation | null {
  const rootType = schema.getRootType(operation.operation)
  if (rootType === null || rootType === undefined) return null
  const compileRoot = operation.operation === OperationTypeNode.MUTATION ? compileSerially : compileSelectionSet
  const fragments = fragmentsOf(document)
  const conditionNames = [...conditionVariables(operation, fragments.values())]
  if (conditionNames.length > MAX_CONDITION_VARIABLES || introspects(operation, fragments.values())) return null
  const readVariables = compileVariables(schema, operation)
  const plans = new Map<string, WriteObject>()
  const count = { fields: 0 }

  function planFor(variables: VariableValues): WriteObject {
    const key = conditionNames.map((name) => variables[name] === true).join()
    let plan = plans.get(key)
    if (plan === undefined) {
      const conditions: Conditions = new Map(conditionNames.map((name) => [name, variables[name] === true]))
      plan = compileRoot({ schema, fragments, conditions, count }, rootType!, [operation.selectionSet])
      plans.set(key, plan)
    }
    return plan
  }

  return (inputs, context, event) => {
    const { values, errors: variableErrors } = readVariables(inputs)
    if (variableErrors !== undefined) return { data: null, errors: variableErrors }
    // A default value lets `if: $shown` use a nullable variable. If it is null, the error belongs to the field.
    if (conditionNames.some((name) => values[name] === null)) return null
    const execution: Execution = { context, variables: values, errors: new ErrorCollector() }
    const errors = execution.errors.collected
    const withoutData = (error: unknown): CompiledResult => {
      execution.errors.add(error as GraphQLError, null)
      return { data: 'null', errors }
    }
    try {
      const data = planFor(values)(event, execution, null)
      return isJsonText(data) ? { data, errors } : data.then((text) => ({ data: text, errors }), withoutData)
    } catch (error) {
      return error instanceof NotCompilable ? 'too large' : withoutData(error)
    }
  }
}

function introspects(
  operation: OperationDefinitionNode,
  fragments: Iterable<{ readonly selectionSet: SelectionSetNode }>,
): boolean {
  const inSet = ({ selections }: SelectionSetNode): boolean =>
    selections.some(
      (selection) =>
        (selection.kind === Kind.FIELD && (selection.name.value === '__schema' || selection.name.value === '__type')) ||
        (selection.kind !== Kind.FRAGMENT_SPREAD &&
          selection.selectionSet !== undefined &&
          inSet(selection.selectionSet)),
    )
  return inSet(operation.selectionSet) || [...fragments].some(({ selectionSet }) => inSet(selectionSet))
}
