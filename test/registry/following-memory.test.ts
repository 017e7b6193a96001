import { openMemoryHistory } from '../../src/store/memory/memory-history.js'
import { followingPromises } from './following.js'
import { HISTORY_OPTIONS } from './registry-fixture.js'

followingPromises('memory', async () => {
  const history = openMemoryHistory(HISTORY_OPTIONS)
  return { history, close: () => history.close() }
})
