import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { historyOptions } from '../../support/commit-requests.js'
import { describeHistory } from '../contract/history-contract.js'

describeHistory('memory', async () => {
  const history = openMemoryHistory(historyOptions)
  return { history, another: null, close: () => history.close() }
})
