import type { GraphiQLPlugin } from '@graphiql/react'
import type { Fetcher } from '@graphiql/toolkit'
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql'
import { EditorSettings } from './editor-settings'
import { examples } from './examples/examples'
import { examplesPlugin } from './examples/examples-panel'
import { variablesText } from './examples/open-in-tab'
import type { LiveRegistry } from './registry/live-registry'
import { StatusBar } from './registry/status-bar'

interface Props {
  readonly fetcher: Fetcher
  readonly live: LiveRegistry
  readonly storage: Storage | null
  readonly treePlugin: GraphiQLPlugin
}

const openingTabs = Object.values(examples)
  .filter((example) => example.opens)
  .map((example) => ({ query: example.query, variables: variablesText(example.variables) }))

const NEW_TAB = '# Write a GraphQL operation. Ctrl-Space completes, Ctrl-Enter runs.\n\n'

/** The tree shows what this registry is about, so a first visit opens it if there is room. */
const beginsWithTree = (storage: Storage | null): boolean =>
  storage?.getItem('graphiql:tabState') == null && window.innerWidth >= 1200

/** The whole page: a status bar of the registry, and the editor below it. */
export const Playground = ({ fetcher, live, storage, treePlugin }: Props) => (
  <div className="cadastre-page">
    <StatusBar live={live} />
    <main className="cadastre-editor" aria-label="GraphQL editor">
      <GraphiQL
        fetcher={fetcher}
        // GraphiQL accepts null and then stores nothing, but its type does not allow it.
        storage={storage as Storage}
        defaultTabs={openingTabs}
        defaultQuery={NEW_TAB}
        {...(beginsWithTree(storage) ? { visiblePlugin: treePlugin } : {})}
        plugins={[treePlugin, examplesPlugin, HISTORY_PLUGIN]}
        defaultEditorToolsVisibility="variables"
        inputValueDeprecation
        schemaDescription
      >
        <GraphiQL.Logo>
          <span />
        </GraphiQL.Logo>
        <EditorSettings />
      </GraphiQL>
    </main>
  </div>
)
