import { NoSchemaIntrospectionCustomRule } from 'graphql'
import type { Plugin } from 'graphql-yoga'

/** Closes introspection where it is configured so; open, nothing stands in its way. */
export function useIntrospectionSwitch(open: boolean): Plugin {
  if (open) return {}
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule)
    },
  }
}
