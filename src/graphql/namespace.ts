import type { NamespaceSummary } from '../store/history.js'
import { builder } from './builder.js'

export const NamespaceSummaryRef = builder.objectRef<NamespaceSummary>('NamespaceSummary').implement({
  description: 'A namespace that holds entries.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What its entries\' ids begin with.' }),
    entryCount: t.exposeInt('entryCount', { description: 'How many entries it holds.' }),
  }),
})

builder.queryField('namespaces', (t) => t.field({
  type: [NamespaceSummaryRef],
  description: 'The namespaces that hold entries at the head, by code point.',
  resolve: (_root, _args, { registry }) => registry.history.namespaces('head'),
}))
