import { useSyncExternalStore } from 'react'
import type { LiveRegistry, RegistryView } from './live-registry'

/** The current view of the registry. The component renders again after every change. */
export const useRegistry = (live: LiveRegistry): RegistryView => useSyncExternalStore(live.listen, live.view)
