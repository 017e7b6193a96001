import type { PathStep } from '../../core/history/version-tree.js'
import { builder } from '../base/builder.js'
import { VersionRef } from '../base/object-refs.js'
import { loadVersion } from '../loading/load-version.js'

const PathDirectionRef = builder.enumType('PathDirection', {
  description: 'The direction of a step through the version tree.',
  values: {
    FORWARD: { description: 'Away from the root: the changeset of the version is applied.' },
    BACKWARD: { description: 'Towards the root: the changeset of the version is inverted.' },
  },
})

const PathStepRef = builder.objectRef<PathStep>('PathStep').implement({
  description: 'One step on the path from one version to another.',
  fields: (t) => ({
    direction: t.expose('direction', { type: PathDirectionRef, description: 'The direction of the step.' }),
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
    description: 'The shortest path from one version to another: back to their common ancestor, then forward.',
    args: {
      from: t.arg({ type: 'SafeInt', required: true, description: 'The number of the version to start from.' }),
      to: t.arg({ type: 'SafeInt', required: true, description: 'The number of the version to reach.' }),
    },
    resolve: async (_root, { from, to }, { registry, read }) => [...(await read(() => registry.path(from, to)))],
  }),
)
