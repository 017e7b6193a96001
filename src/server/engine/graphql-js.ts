import { type ExecutionArgs, execute, getOperationAST, subscribe } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import type { RequestContext } from '../../graphql/base/request-context.js'
import { compiledSubscription, type ExecuteInTurn } from '../fast-path/compiled-subscription.js'
import { HEAVY_WEIGHT, type HeavyOperations } from '../weighing/heavy-operations.js'
import { operationWeight } from '../weighing/operation-weight.js'

/**
 * Executes operations by graphql-js itself, because Yoga's executor adds extensions for its own HTTP transport to errors.
 * @param options.isCompiled - Whether subscriptions are compiled
 * @param options.heavy - Gives the events of heavy subscriptions their turns
 */
export function useGraphQLJs({ isCompiled, heavy }: { isCompiled: boolean; heavy: HeavyOperations }): Plugin {
  function subscribeInTurn(args: ExecutionArgs) {
    const { signal } = args.contextValue as RequestContext
    const inTurn: ExecuteInTurn | null = isHeavy(args) ? (work) => heavy.runEvent(args, signal, work) : null
    return isCompiled || inTurn !== null ? compiledSubscription(args, inTurn) : subscribe(args)
  }

  return {
    onExecute({ setExecuteFn }) {
      setExecuteFn(execute)
    },
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(subscribeInTurn as Parameters<typeof setSubscribeFn>[0])
    },
  }
}

function isHeavy({ schema, document, operationName, variableValues }: ExecutionArgs): boolean {
  const operation = getOperationAST(document, operationName)
  return !!operation && operationWeight(schema, document, operation, variableValues ?? {}).total >= HEAVY_WEIGHT
}
