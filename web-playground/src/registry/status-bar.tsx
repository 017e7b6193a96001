import type { ConnectionState, LiveRegistry } from './live-registry'
import { useRegistry } from './use-registry'

const WORDS: Readonly<Record<ConnectionState, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost, reconnecting',
}

const Mark = () => (
  <svg className="cadastre-mark" viewBox="0 0 32 32" aria-hidden="true">
    <path d="M11 6v20M11 19c0-5 10-3 10-9" fill="none" stroke="currentColor" strokeWidth="2.6" strokeLinecap="round" />
    <g fill="currentColor">
      <circle cx="11" cy="25" r="3.4" />
      <circle cx="11" cy="7.5" r="3.4" />
    </g>
    <circle className="cadastre-mark-head" cx="21" cy="9.5" r="3.8" />
  </svg>
)

/** The project's name, and the head and revision of its registry. */
export const StatusBar = ({ live }: { readonly live: LiveRegistry }) => {
  const { connection, head, revision } = useRegistry(live)
  return (
    <header className="cadastre-header">
      <h1 className="cadastre-name">
        <Mark />
        Cadastre
      </h1>
      <p className="cadastre-status" role="status" data-connection={connection}>
        {head !== undefined && revision !== undefined && (
          <>
            <span className="cadastre-fact">
              head <b data-testid="head">v{head}</b>
            </span>
            <span className="cadastre-fact">
              revision <b data-testid="revision">{revision}</b>
            </span>
          </>
        )}
        <span className="cadastre-connection">
          <span className="cadastre-lamp" aria-hidden="true" />
          {WORDS[connection]}
        </span>
      </p>
    </header>
  )
}
