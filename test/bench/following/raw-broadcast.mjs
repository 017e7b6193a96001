// What a gateway is held against: `ws` alone, sending frames of the same size to all who are connected.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const server = createServer()
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
let revision = 0

process.on('message', ({ id, bytes }) => {
  revision += 1
  const text = `{"revision":${revision},"text":"`
  const frame = text + 'x'.repeat(bytes - text.length - 2) + '"}'
  // What the documentation of ws shows under "server broadcast".
  for (const client of sockets.clients) if (client.readyState === client.OPEN) client.send(frame)
  process.send({ id })
})
process.on('disconnect', () => process.exit())
