// Raw broadcast: what is posted goes to every socket, as one frame made once.
import { createServer } from 'node:http'
import { bodyOf, listen, requireOfGateway } from './shared.mjs'

const { WebSocketServer } = requireOfGateway('ws')
const server = createServer(async (request, response) => {
  const { frame } = JSON.parse(await bodyOf(request))
  for (const socket of sockets.clients) socket.send(frame)
  response.end('sent')
})
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
// It has nothing to do while the gateway is measured, and is to be asked by the same connections afterwards.
server.keepAliveTimeout = 0
listen(server)
