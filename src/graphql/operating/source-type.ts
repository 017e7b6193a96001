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
import { forwardArgs, type PageArgs, pageFrom } from '../relay/page-args.js'

const SourceStatusRef = builder.enumType('SourceStatus', {
  description: 'How a source stands.',
  values: {
    IDLE: { description: 'Loaded and not watched.' },
    LOADING: {
      description: 'It is being read and applied, or will be for the first time as soon as a gateway comes to it.',
    },
    WATCHING: { description: 'Loaded, and read anew as it changes.' },
    FAILED: { description: 'It cannot be read as a whole; what it gave before stays.' },
  } satisfies Readonly<Record<SourceStatus, object>>,
})

const SourceFailureRef = builder.objectRef<SourceFailure>('SourceFailure').implement({
  description: 'Something of a source that was not taken over, and why.',
  fields: (t) => ({
    location: t.string({
      description: "The file or page, as it is named within the source; the source's name for the source as a whole.",
      resolve: ({ file }) => file,
    }),
    line: t.int({
      nullable: true,
      description: 'From 1; null where it is the location as a whole.',
      resolve: ({ line }) => line,
    }),
    entryId: t.id({
      nullable: true,
      description: 'Which entry, as far as that is known.',
      resolve: ({ entryId }) => entryId,
    }),
    message: t.exposeString('message', { description: 'What is wrong.' }),
  }),
})

const SourceRef = builder.objectRef<SourceState>('Source').implement({
  description: 'A configured place that entries come from. It is the same at every gateway, whichever reads it.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As configured.' }),
    provider: t.exposeString('provider', { description: 'What reads it, e.g. "filesystem" or "http".' }),
    status: t.expose('status', { type: SourceStatusRef, description: 'How it stands.' }),
    total: t.exposeInt('total', { description: 'Definitions: those loaded and those failed.' }),
    loaded: t.exposeInt('loaded', { description: 'Definitions that were read and taken over or were known already.' }),
    failed: t.exposeInt('failed', { description: 'Definitions that were not; a file that does not parse is one.' }),
    reloadCount: t.exposeInt('reloadCount', { description: 'How often it has been loaded, the first time included.' }),
    lastReload: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was loaded last, or that was last tried.',
      resolve: ({ lastReload }) => lastReload,
    }),
    failures: t.field({
      type: [SourceFailureRef],
      description: `What failed at the last look; the first ${SHOWN_FAILURES}.`,
      resolve: ({ failures }) => [...failures],
    }),
    entries: t.field({
      type: EntryConnection,
      description: 'The entries it owns, by id: those that it wrote and no other source has written since.',
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
  description: 'What came of loading a source anew.',
  fields: (t) => ({
    source: t.field({
      type: SourceRef,
      description: 'The source afterwards.',
      resolve: ({ source }, _args, context) => sourceNamed(source, context),
    }),
    created: t.exposeInt('created', { description: 'Entries that were created, on a dry run would be.' }),
    updated: t.exposeInt('updated', { description: 'Entries that were updated.' }),
    deleted: t.exposeInt('deleted', { description: 'Entries that were deleted.' }),
    failures: t.field({
      type: [SourceFailureRef],
      description: `What was not taken over; the first ${SHOWN_FAILURES}.`,
      resolve: ({ failures }) => [...failures],
    }),
    version: t.field({
      type: VersionRef,
      nullable: true,
      description: 'The version that it made, the last where it made several; null where nothing was changed.',
      resolve: ({ version }, _args, context) => (version === null ? null : loadVersion(version, context)),
    }),
    delta: t.field({
      type: DeltaRef,
      nullable: true,
      description: 'Of a dry run: what would be changed. Null otherwise: `version` has it.',
      resolve: ({ delta }) => (delta === null ? null : [...delta]),
    }),
  }),
})

builder.queryFields((t) => ({
  sources: t.field({
    type: [SourceRef],
    description: 'The configured sources, by name.',
    resolve: async (_root, _args, { sources }) => [...(await sources.list())],
  }),
  source: t.field({
    type: SourceRef,
    nullable: true,
    description: 'One source. Error code SOURCE_NOT_FOUND where there is none of this name.',
    args: { name: t.arg.string({ required: true, description: 'Its name.' }) },
    resolve: (_root, { name }, context) => sourceNamed(name, context),
  }),
}))

builder.mutationField('reloadSource', (t) =>
  t.field({
    type: SourceReportRef,
    description:
      'Have a source looked at now, by whichever gateway reads it, and wait for what came of it. Only what has changed is read ' +
      'again. Error code: SOURCE_NOT_FOUND.',
    args: {
      name: t.arg.string({ required: true, description: 'Which source.' }),
      dryRun: t.arg.boolean({ description: 'Change nothing, and say what would be changed; participants are asked.' }),
    },
    extensions: USES_ABORT_SIGNAL,
    async resolve(_root, { name, dryRun }, context): Promise<Report> {
      try {
        const { sources, signal } = context
        if (dryRun === true) return { ...(await sources.plan(name, signal)), source: name }
        return { ...(await sources.reload(name, signal)), source: name, delta: null }
      } finally {
        context.renewLoaders()
      }
    },
  }),
)

async function sourceNamed(name: string, { sources }: RequestContext): Promise<SourceState> {
  const found = await sources.get(name)
  if (found === null)
    throw new RegistryError('SOURCE_NOT_FOUND', `there is no source "${name}"; \`sources\` lists them`)
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
  // Before the page, so that the page is at least as new as the revision it names.
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
