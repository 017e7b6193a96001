import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { HISTORY_OPTIONS, historyWith } from '../registry-fixture.js'
import { followingInstances } from './following-instances-suite.js'

followingInstances('memory', async () => {
  let reads = 0
  const history = openMemoryHistory(HISTORY_OPTIONS)
  const { instances } = history
  return {
    history: historyWith(history, {
      instances: {
        ...instances,
        live: (ids) => {
          reads += 1
          return instances.live(ids)
        },
      },
    }),
    another: null,
    reads: () => reads,
    close: () => history.close(),
  }
})
