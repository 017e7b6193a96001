import type { EntryRevision } from '../../core/entry/entry.js'
import { isEntryId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import type { Operation } from '../../core/ordering/operation.js'
import type { SourceFailure } from '../../sources/contract/source-failure.js'
import { SHOWN_FAILURES } from '../../sources/contract/source-failure.js'
import type { ReloadReport, SourceState, SourceStatus } from '../../sources/running/source-state.js'
import { builder } from '../base/builder.js'
import { DeltaRef, VersionRef } from '../base/object-refs.js'
import type { RequestContext } from '../base/request-context.js'
import { USES_ABORT_SIGNAL } from '../base/uses-abort-signal.js'
import { EntryConnection } from '../entry/entry-type.js'
import { loadVersion } from '../loading/load-version.js'
import { connectionOf, type EntryListPage } from '../relay/connection.js'
import { nameCursors } from '../relay/cursor-codec.js'
import { NodeRef } from '../relay/node-interface.js'
import { forwardArgs, type PageArgs, pageFrom } from '../relay/page-args.js'

const SourceStatusRef = builder.enumType('SourceStatus', {
  description: 'The status of a source.',
  values: {
    IDLE: { description: 'The source is loaded and is not watched for changes.' },
    LOADING: {
      description: 'The source is being read and applied, or waits to be read for the first time.',
    },
    WATCHING: { description: 'The source is loaded and is read again when it changes.' },
    FAILED: { description: 'The source cannot be read at all. Entries from its last successful load stay.' },
  } satisfies Readonly<Record<SourceStatus, object>>,
})

const SourceFailureRef = builder.objectRef<SourceFailure>('SourceFailure').implement({
  description: 'A definition or file of a source that was not applied, and why.',
  fields: (t) => ({
    location: t.string({
      description:
        'The file or page, relative to the source. For a failure of the whole source: the name of the source.',
      resolve: ({ file }) => file,
    }),
    line: t.int({
      nullable: true,
      description: 'The line, from 1; null if the failure concerns the whole location.',
      resolve: ({ line }) => line,
    }),
    entryId: t.id({
      nullable: true,
      description: 'The id of the entry; null if unknown.',
      resolve: ({ entryId }) => entryId,
    }),
    message: t.exposeString('message', { description: 'The error message.' }),
  }),
})

const SourceRef = builder.objectRef<SourceState>('Source').implement({
  description:
    'A configured place that entries are loaded from, such as a folder or an HTTP registry. All gateways report the same.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.id({ description: 'The id of the source: "source/" and its name.', resolve: ({ name }) => `source/${name}` }),
    name: t.exposeString('name', { description: 'The name in the configuration.' }),
    provider: t.exposeString('provider', {
      description: 'The name of the provider that reads the source, e.g. "filesystem" or "http".',
    }),
    status: t.expose('status', { type: SourceStatusRef, description: 'The status of the source.' }),
    total: t.exposeInt('total', { description: 'The number of definitions: `loaded` plus `failed`.' }),
    loaded: t.exposeInt('loaded', {
      description: 'The number of definitions that were applied or were already up to date.',
    }),
    failed: t.exposeInt('failed', {
      description: 'The number of definitions that failed. A file that cannot be parsed counts as one.',
    }),
    reloadCount: t.exposeInt('reloadCount', {
      description: 'The number of loads that found something new, including the first load.',
    }),
    lastCheck: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The time of the last load or attempt, also if it found nothing new; null before the first.',
      resolve: ({ lastCheck }) => lastCheck,
    }),
    lastReload: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The time of the last load that found something new; null before the first.',
      resolve: ({ lastReload }) => lastReload,
    }),
    failures: t.field({
      type: [SourceFailureRef],
      description: `The failures of the last load, at most ${SHOWN_FAILURES}.`,
      resolve: ({ failures }) => [...failures],
    }),
    entries: t.field({
      type: EntryConnection,
      description:
        'The entries that the source owns, sorted by id: those that it wrote and no other source has written since.',
      args: forwardArgs,
      resolve: ({ name }, args, context) => ownedEntries(name, args, context),
    }),
  }),
})

interface Report extends ReloadReport {
  readonly source: string
  readonly delta: readonly Operation[] | null
}

const SourceReportRef = builder.objectRef<Report>('SourceReport').implement({
  description: 'The result of reloading a source.',
  fields: (t) => ({
    source: t.field({
      type: SourceRef,
      description: 'The source after the reload.',
      resolve: ({ source }, _args, context) => sourceNamed(source, context),
    }),
    created: t.exposeInt('created', {
      description: 'The number of entries created. In a dry run: that would be created.',
    }),
    updated: t.exposeInt('updated', {
      description: 'The number of entries updated. In a dry run: that would be updated.',
    }),
    deleted: t.exposeInt('deleted', {
      description: 'The number of entries deleted. In a dry run: that would be deleted.',
    }),
    failures: t.field({
      type: [SourceFailureRef],
      description: `The definitions and files that were not applied, at most ${SHOWN_FAILURES}.`,
      resolve: ({ failures }) => [...failures],
    }),
    version: t.field({
      type: VersionRef,
      nullable: true,
      description: 'The version that the reload made, or the last of several; null if nothing changed.',
      resolve: ({ version }, _args, context) => (version === null ? null : loadVersion(version, context)),
    }),
    delta: t.field({
      type: DeltaRef,
      nullable: true,
      description: 'In a dry run: what would change. Otherwise null; see `version`.',
      resolve: ({ delta }) => (delta === null ? null : { operations: delta, between: 'a dry run' }),
    }),
  }),
})

builder.queryFields((t) => ({
  sources: t.field({
    type: [SourceRef],
    description: 'The configured sources, sorted by name.',
    resolve: async (_root, _args, { sources }) => [...(await sources.list())],
  }),
  source: t.field({
    type: SourceRef,
    nullable: true,
    description: 'A source; null if it does not exist.',
    args: { name: t.arg.string({ required: true, description: 'The name of the source.' }) },
    resolve: (_root, { name }, { sources }) => sources.get(name),
  }),
}))

builder.mutationField('reloadSource', (t) =>
  t.field({
    type: SourceReportRef,
    description:
      'Reloads a source now, at the gateway that reads it, and waits for the result. Only files and pages that changed are read. ' +
      'Error code: SOURCE_NOT_FOUND.',
    args: {
      name: t.arg.string({ required: true, description: 'The name of the source.' }),
      dryRun: t.arg.boolean({
        description: 'Whether to only report what would change. Participants are asked too, but nothing changes.',
      }),
      allowEmpty: t.arg.boolean({
        description:
          'Whether to delete all entries of the source if it defines nothing any more. By default, or unless its ' +
          'configuration sets `allowEmpty`, they are kept and a failure says so.',
      }),
    },
    extensions: USES_ABORT_SIGNAL,
    async resolve(_root, { name, dryRun, allowEmpty }, context): Promise<Report> {
      try {
        const { sources, signal } = context
        if (dryRun === true) return { ...(await sources.plan(name, allowEmpty === true, signal)), source: name }
        return { ...(await sources.reload(name, allowEmpty === true, signal)), source: name, delta: null }
      } finally {
        context.renewLoaders()
      }
    },
  }),
)

async function sourceNamed(name: string, { sources }: RequestContext): Promise<SourceState> {
  const found = await sources.get(name)
  if (found === null)
    throw new RegistryError('SOURCE_NOT_FOUND', `There is no source "${name}". The query \`sources\` lists them.`)
  return found
}

async function ownedEntries(
  source: string,
  args: PageArgs,
  { registry, sources, loaders }: RequestContext,
): Promise<EntryListPage<EntryRevision>> {
  const cursors = nameCursors(registry.history.registryId, `source ${source}`, isEntryId)
  const { after, before, ...rest } = pageFrom(args, cursors)
  const page = { ...rest, after: after as EntryRevision['id'] | null, before: before as EntryRevision['id'] | null }
  // The head is read before the page, so that the page is at least as new as the revision it reports.
  const { revision } = await loaders().head()
  const found = await sources.ownedPage(source, page)
  const entries = await loaders().entry.loadMany(found.items)
  const items = entries.filter((entry): entry is EntryRevision => entry !== null && !(entry instanceof Error))
  const failed = entries.find((entry) => entry instanceof Error)
  if (failed !== undefined) throw failed
  return {
    ...connectionOf(
      page,
      { items, hasMore: found.hasMore },
      cursors,
      ({ id }) => id as string as never,
      () => sources.ownedCount(source),
    ),
    revision,
  }
}
