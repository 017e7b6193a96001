import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../src/server/config/config.js'
import { type Gateway, startGateway } from '../../src/server/gateway.js'

const playgroundDir = fileURLToPath(new URL('../../dist/playground', import.meta.url))

/** A gateway of a test's own: an empty registry in memory, and the page as it was built. Port 0 picks a free one. */
export const openGateway = (port = 0): Promise<Gateway> =>
  startGateway(loadConfig({ CADASTRE_STORE: 'memory', PORT: String(port), CADASTRE_LOG_LEVEL: 'error' }, tmpdir()), {
    playgroundDir,
  })
