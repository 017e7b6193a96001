import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { steadyClock } from '../../../src/store/memory/memory-instances.js'
import { historyOptions } from '../../support/commit-requests.js'
import { describeInstances } from '../contract/instances-contract.js'

describeInstances('memory', async () => {
  let leapt = 0
  const history = openMemoryHistory(historyOptions, { clock: () => steadyClock() + leapt })
  return {
    history,
    another: null,
    pass: async (seconds) => {
      leapt += seconds * 1_000
    },
    close: () => history.close(),
  }
})
