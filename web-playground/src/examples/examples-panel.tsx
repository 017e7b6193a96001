import type { GraphiQLPlugin } from '@graphiql/react'
import { type Example, examples } from './examples'
import { useOpenInTab } from './open-in-tab'

const ExamplesPanel = () => {
  const open = useOpenInTab()
  const row = (example: Example) => (
    <li key={example.title}>
      <button type="button" className="cadastre-row" onClick={() => open(example, false)}>
        <strong>{example.title}</strong>
        <span>{example.summary}</span>
      </button>
    </li>
  )
  return (
    <section aria-label="Examples">
      <h2 className="cadastre-panel-title">Examples</h2>
      <p className="cadastre-panel-lead">Each opens in a new tab, with variables that work.</p>
      <ul className="cadastre-list">{Object.values(examples).map(row)}</ul>
    </section>
  )
}

const ExamplesIcon = () => (
  <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" aria-hidden="true">
    <path d="M3.5 4.5h13M3.5 10h13M3.5 15.5h8" />
    <path d="m14 13.5 3 2-3 2z" fill="currentColor" strokeLinejoin="round" />
  </svg>
)

export const examplesPlugin: GraphiQLPlugin = { title: 'Examples', icon: ExamplesIcon, content: ExamplesPanel }
