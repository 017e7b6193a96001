// Raw broadcast: sends the posted text to every socket, as one frame that is made once.
import { createServer } from 'node:http'
import { bodyOf, listen, requireOfGateway } from './shared.mjs'

const { WebSocketServer } = requireOfGateway('ws')
const server = createServer(async (request, response) => {
  const { frame } = JSON.parse(await bodyOf(request))
  for (const socket of sockets.clients) socket.send(frame)
  response.end('sent')
})
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
// It idles while the gateway is measured, and the same connections must still work afterwards.
server.keepAliveTimeout = 0
listen(server)
