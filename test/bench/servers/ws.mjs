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
listen(server)
