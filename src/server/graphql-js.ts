import { execute, subscribe } from 'graphql'
import type { Plugin } from 'graphql-yoga'

/** Runs operations by graphql-js itself: Yoga's own executor writes notes for HTTP into the errors of clients. */
export function useGraphQLJs(): Plugin {
  return {
    onExecute({ setExecuteFn }) {
      setExecuteFn(execute)
    },
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(subscribe as Parameters<typeof setSubscribeFn>[0])
    },
  }
}
