import { execute } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { compiledSubscription } from '../fast-path/compiled-subscription.js'

/** Runs operations by graphql-js itself: Yoga's own executor writes notes for HTTP into the errors of clients. */
export function useGraphQLJs(): Plugin {
  return {
    onExecute({ setExecuteFn }) {
      setExecuteFn(execute)
    },
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(compiledSubscription as Parameters<typeof setSubscribeFn>[0])
    },
  }
}
