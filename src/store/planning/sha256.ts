import { hash } from 'node:crypto'

/** In hexadecimal. By one call, which takes half the time of an object for each. */
export function sha256(bytes: string | Uint8Array): string {
  return hash('sha256', bytes)
}
