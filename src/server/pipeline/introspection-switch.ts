import { NoSchemaIntrospectionCustomRule } from 'graphql'
import type { Plugin } from 'graphql-yoga'

/** Refuses introspection unless it is open. */
export function useIntrospectionSwitch(open: boolean): Plugin {
  if (open) return {}
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule)
    },
  }
}
