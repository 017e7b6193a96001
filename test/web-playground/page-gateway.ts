import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../src/server/config/config.js'
import { type Gateway, startGateway } from '../../src/server/gateway.js'

const playgroundDir = fileURLToPath(new URL('../../dist/playground', import.meta.url))

/** A gateway for one test: an empty registry in memory, and the built page. Port 0 picks a free port. */
export const openGateway = (port = 0): Promise<Gateway> =>
  startGateway(loadConfig({ CADASTRE_STORE: 'memory', PORT: String(port), CADASTRE_LOG_LEVEL: 'error' }, tmpdir()), {
    playgroundDir,
  })
