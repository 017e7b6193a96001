import type { PathStep } from '../../core/history/version-tree.js'
import { builder } from '../base/builder.js'
import { VersionRef } from '../base/object-refs.js'
import { loadVersion } from '../loading/load-version.js'

const PathDirectionRef = builder.enumType('PathDirection', {
  description: 'Which way a step goes through the version tree.',
  values: {
    FORWARD: { description: 'Away from the root: the changeset is applied.' },
    BACKWARD: { description: 'Towards the root: the changeset is inverted.' },
  },
})

const PathStepRef = builder.objectRef<PathStep>('PathStep').implement({
  description: 'One step on the way from one version to another.',
  fields: (t) => ({
    direction: t.expose('direction', { type: PathDirectionRef, description: 'Which way it goes.' }),
    version: t.field({
      type: VersionRef,
      description: 'The version whose changeset this step applies (FORWARD) or inverts (BACKWARD).',
      resolve: ({ version }, _args, context) => loadVersion(version, context),
    }),
  }),
})

builder.queryField('path', (t) =>
  t.field({
    type: [PathStepRef],
    description: 'The shortest way through the version tree: back to where the two branches part, then forward.',
    args: {
      from: t.arg({ type: 'SafeInt', required: true, description: 'The version to start at.' }),
      to: t.arg({ type: 'SafeInt', required: true, description: 'The version to arrive at.' }),
    },
    resolve: async (_root, { from, to }, { registry }) => [...(await registry.path(from, to))],
  }),
)
