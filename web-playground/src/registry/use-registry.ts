import { useSyncExternalStore } from 'react'
import type { LiveRegistry, RegistryView } from './live-registry'

/** The registry as it stands now; the component renders anew whenever that changes. */
export const useRegistry = (live: LiveRegistry): RegistryView => useSyncExternalStore(live.listen, live.view)
