import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { historyOptions } from '../../support/commit-requests.js'
import { describeCompaction } from '../contract/compaction-contract.js'

describeCompaction('memory', async () => {
  const history = openMemoryHistory(historyOptions)
  return { history, another: null, close: () => history.close() }
})
