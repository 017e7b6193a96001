// npm run build: installs and builds what has changed.
import { prepare } from './prepare/prepare.mjs'

await prepare()
