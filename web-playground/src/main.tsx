import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import './page.css'
import { createRoot } from 'react-dom/client'
import { createFetcher } from './create-fetcher'
import { endpointOf } from './endpoint'
import { openSocket } from './open-socket'
import { openPageStorage } from './page-storage'
import { Playground } from './playground'
import { followRegistry } from './registry/live-registry'
import { versionTreePlugin } from './version-tree/version-tree-panel'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element with the id "root"')

const endpoint = endpointOf(document.baseURI)
const socket = openSocket(endpoint.socket)
const live = followRegistry(endpoint, socket)

createRoot(root).render(
  <Playground
    fetcher={createFetcher(endpoint, socket)}
    live={live}
    storage={openPageStorage()}
    treePlugin={versionTreePlugin(live)}
  />,
)
