import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { HISTORY_OPTIONS } from '../registry-fixture.js'
import { followingPromises } from './following-suite.js'

followingPromises('memory', async () => {
  const history = openMemoryHistory(HISTORY_OPTIONS)
  return { history, close: () => history.close() }
})
