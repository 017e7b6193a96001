import { GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { MaskError } from './mask-error.js'

/** Refuses introspection unless it is open. */
export function useIntrospectionSwitch(open: boolean): Plugin {
  if (open) return {}
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule)
    },
  }
}

/** The end of many messages of graphql-js: names of fields, arguments, types and values of the schema. */
const SUGGESTION = / Did you mean .*\?$/s

/** Removes the suggestions from errors unless introspection is open. One guess after another would list the schema. */
export function maskSuggestions(open: boolean, mask: MaskError): MaskError {
  if (open) return mask
  return (error) => {
    const masked = mask(error)
    if (masked.originalError instanceof RegistryError || !SUGGESTION.test(masked.message)) return masked
    const { nodes, source, positions, path, extensions } = masked
    const place = nodes === undefined ? { source, positions } : { nodes }
    return new GraphQLError(masked.message.replace(SUGGESTION, ''), { ...place, path, extensions })
  }
}
