import { isIP } from 'node:net'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i

/** Whether only programs of this machine reach a server that listens on this host. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

/**
 * Makes the check of the `Host` header. A page of evil.example whose name is made to point to this machine ("DNS
 * rebinding") has the gateway's origin for a browser, but its requests still name evil.example. So a name must be one
 * of the gateway's own; an address cannot be such a name.
 * @param listening - The host that the gateway listens on
 * @param publicUrls - The URLs that clients know it by
 */
export function knownHosts(listening: string, publicUrls: readonly string[]): (host: string | undefined) => boolean {
  const names = new Set(['localhost', listening.toLowerCase(), ...publicUrls.map((url) => new URL(url).hostname)])
  // Most requests name the same host as the last one.
  let last: string | undefined
  return (host) => {
    // Only HTTP/1.0 has requests without one. Browsers never send it.
    if (host === undefined || host === last) return true
    const name = hostName(host)
    if (name === undefined || !(isIP(name) !== 0 || names.has(name))) return false
    last = host
    return true
  }
}

/** The name or address of a `Host` header without port, in lower case; undefined if it has neither. */
function hostName(host: string): string | undefined {
  const [, address, name] = /^(?:\[([\da-f:.]+)\]|([^\s:[\]/?#@\\]+?)\.?)(?::\d{1,5})?$/i.exec(host) ?? []
  return (address ?? name)?.toLowerCase()
}
