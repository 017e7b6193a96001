import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { HISTORY_OPTIONS } from '../registry-fixture.js'
import { transactionSuite } from './transactions-suite.js'

transactionSuite('memory', async () => {
  const history = openMemoryHistory(HISTORY_OPTIONS)
  return { history, close: () => history.close() }
})
