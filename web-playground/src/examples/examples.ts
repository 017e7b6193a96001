import applyChangeset from './apply-changeset.graphql?raw'
import compareStates from './compare-states.graphql?raw'
import entryHistory from './entry-history.graphql?raw'
import findEntries from './find-entries.graphql?raw'
import followChanges from './follow-changes.graphql?raw'
import rollBack from './roll-back.graphql?raw'
import snapshot from './snapshot.graphql?raw'
import variables from './variables.json'
import versionTree from './version-tree.graphql?raw'

/** A GraphQL operation that this page offers, with variables that make it run as it is. */
export interface Example {
  readonly title: string
  readonly summary: string
  readonly query: string
  readonly variables: object
  /** Whether the page opens with it. The others are in the list of examples. */
  readonly opens: boolean
}

export type ExampleName = keyof typeof variables

export const examples: Readonly<Record<ExampleName, Example>> = {
  versionTree: {
    title: 'The version tree',
    summary: 'The latest versions and the head.',
    query: versionTree,
    variables: variables.versionTree,
    opens: true,
  },
  applyChangeset: {
    title: 'Apply a changeset',
    summary: 'Two entries, one new version.',
    query: applyChangeset,
    variables: variables.applyChangeset,
    opens: true,
  },
  findEntries: {
    title: 'Find entries',
    summary: 'By kind, id and meta, at the head.',
    query: findEntries,
    variables: variables.findEntries,
    opens: true,
  },
  rollBack: {
    title: 'Roll back',
    summary: 'Move the head to an older version, as a dry run first.',
    query: rollBack,
    variables: variables.rollBack,
    opens: true,
  },
  followChanges: {
    title: 'Follow changes',
    summary: 'A live, resumable stream of every revision.',
    query: followChanges,
    variables: variables.followChanges,
    opens: true,
  },
  snapshot: {
    title: 'Read a snapshot',
    summary: 'The whole registry at one version.',
    query: snapshot,
    variables: variables.snapshot,
    opens: false,
  },
  compareStates: {
    title: 'Compare two states',
    summary: 'The shortest changeset from one to the other.',
    query: compareStates,
    variables: variables.compareStates,
    opens: false,
  },
  entryHistory: {
    title: 'History of an entry',
    summary: 'Every content an entry has had.',
    query: entryHistory,
    variables: variables.entryHistory,
    opens: false,
  },
}
