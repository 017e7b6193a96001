/** The gateway's URLs for HTTP and WebSocket, always on the origin that served this page. */
export interface Endpoint {
  readonly http: string
  readonly socket: string
}

export const endpointOf = (page: string): Endpoint => {
  const http = new URL('graphql', page)
  http.search = ''
  http.hash = ''
  const socket = new URL(http)
  socket.protocol = http.protocol === 'https:' ? 'wss:' : 'ws:'
  return { http: http.href, socket: socket.href }
}
