import type { GraphiQLPlugin } from '@graphiql/react'
import { examples } from '../examples/examples'
import { useOpenInTab } from '../examples/open-in-tab'
import type { LiveRegistry, VersionNode } from '../registry/live-registry'
import { useRegistry } from '../registry/use-registry'
import { layoutTree } from './layout-tree'
import { drawingWidth, ROW_HEIGHT, TreeDrawing } from './tree-drawing'

const counts = ({ created, updated, deleted }: VersionNode['changeset']): string =>
  [created && `+${created}`, updated && `~${updated}`, deleted && `−${deleted}`].filter(Boolean).join(' ')

const summary = ({ number, message, author }: VersionNode): string =>
  message ?? (number === 0 ? 'The empty registry' : author ? `by ${author}` : 'No message')

const VersionTreePanel = ({ live }: { readonly live: LiveRegistry }) => {
  const { versions, versionCount, head, problem } = useRegistry(live)
  const open = useOpenInTab()
  const layout = layoutTree(versions, head)
  const openSnapshot = (version: number) =>
    open({ query: examples.snapshot.query, variables: { at: { version }, first: 50 } }, true)
  const prepareMove = (version: number) =>
    open({ query: examples.rollBack.query, variables: { input: { version, expectedHead: head, dryRun: true } } }, false)

  const row = (version: VersionNode) => {
    const isHead = version.number === head
    const { number } = version
    return (
      <li key={number} className="cadastre-version" style={{ height: ROW_HEIGHT }} aria-current={isHead || undefined}>
        <button
          type="button"
          className="cadastre-row"
          onClick={() => openSnapshot(number)}
          title={`Snapshot of v${number}`}
        >
          <strong>
            v{number} {isHead && <em className="cadastre-badge">head</em>}
            <small className="cadastre-counts">{counts(version.changeset)}</small>
          </strong>
          <span title={version.message ?? undefined}>{summary(version)}</span>
        </button>
        {!isHead && (
          <button
            type="button"
            className="cadastre-move"
            onClick={() => prepareMove(number)}
            aria-label={`Prepare moving the head to v${number}`}
            title={`Prepare moving the head to v${number}`}
          >
            <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
              <path d="M6 3 2.5 6.5 6 10M3 6.5h6a4 4 0 0 1 0 8H7" strokeLinecap="round" strokeLinejoin="round" />
            </svg>
          </button>
        )}
      </li>
    )
  }

  return (
    <section aria-label="Version tree">
      <h2 className="cadastre-panel-title">Version tree</h2>
      <p className="cadastre-panel-lead">
        {versions.length < versionCount
          ? `The latest ${versions.length} of ${versionCount} versions.`
          : 'All versions.'}{' '}
        Choose one to see the registry at that version.
      </p>
      {problem !== null && (
        <p className="cadastre-problem" role="alert">
          Not up to date: {problem}
        </p>
      )}
      <div className="cadastre-tree-box">
        <TreeDrawing layout={layout} head={head} />
        <ol className="cadastre-list" style={{ marginInlineStart: drawingWidth(layout.laneCount) }} reversed>
          {[...versions].reverse().map(row)}
        </ol>
      </div>
    </section>
  )
}

const VersionTreeIcon = () => (
  <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" aria-hidden="true">
    <circle cx="6" cy="4" r="2" />
    <circle cx="6" cy="16" r="2" />
    <circle cx="14" cy="6" r="2" />
    <path d="M6 6v8M14 8c0 4-8 2-8 5" />
  </svg>
)

/** Create it once per page, because the editor identifies its panels by reference. */
export const versionTreePlugin = (live: LiveRegistry): GraphiQLPlugin => ({
  title: 'Version tree',
  icon: VersionTreeIcon,
  content: () => <VersionTreePanel live={live} />,
})
