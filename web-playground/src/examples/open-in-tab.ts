import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'

export interface TabContent {
  readonly query: string
  readonly variables: object
}

const OPERATION_NAME = /^(?:query|mutation|subscription)\s+(\w+)/m

/** Variables as indented JSON; empty if there are none. */
export const variablesText = (variables: object): string =>
  Object.keys(variables).length === 0 ? '' : JSON.stringify(variables, null, 2)

/**
 * Returns a function that opens a GraphQL operation in a new tab, and runs it there if `run` is true. Run only operations
 * that change nothing.
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
    // The editors report their content 100 ms later. Until then the tab would have no name, or that of another tab.
    updateActiveTabValues({ query, variables: text })
    setOperationName(OPERATION_NAME.exec(query)?.[1] ?? '')
    if (run) runTab()
  }
}
