import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'

export interface TabContent {
  readonly query: string
  readonly variables: object
}

const OPERATION_NAME = /^(?:query|mutation|subscription)\s+(\w+)/m

/** As a person would type them, two spaces deep; nothing where there are none. */
export const variablesText = (variables: object): string =>
  Object.keys(variables).length === 0 ? '' : JSON.stringify(variables, null, 2)

/**
 * Gives a function that opens an operation in a tab of its own and, where `run` says so, runs it there.
 * Only what changes nothing should be run without having been asked for.
 */
export const useOpenInTab = (): ((content: TabContent, run: boolean) => void) => {
  const { addTab, updateActiveTabValues, setOperationName, run: runTab } = useGraphiQLActions()
  const queryEditor = useGraphiQL((state) => state.queryEditor)
  const variableEditor = useGraphiQL((state) => state.variableEditor)
  return ({ query, variables }, run) => {
    const text = variablesText(variables)
    addTab()
    queryEditor?.setValue(query)
    variableEditor?.setValue(text)
    // The editors report what they were given 100 ms later; until then the tab would have no name, or another one's.
    updateActiveTabValues({ query, variables: text })
    setOperationName(OPERATION_NAME.exec(query)?.[1] ?? '')
    if (run) runTab()
  }
}
