import { execute, subscribe } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { compiledSubscription } from '../fast-path/compiled-subscription.js'

/**
 * Executes operations by graphql-js itself, because Yoga's executor adds extensions for its own HTTP transport to errors.
 * @param options.isCompiled - Whether subscriptions are compiled
 */
export function useGraphQLJs({ isCompiled }: { readonly isCompiled: boolean }): Plugin {
  return {
    onExecute({ setExecuteFn }) {
      setExecuteFn(execute)
    },
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn((isCompiled ? compiledSubscription : subscribe) as Parameters<typeof setSubscribeFn>[0])
    },
  }
}
