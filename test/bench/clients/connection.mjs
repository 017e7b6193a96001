// One kept-alive HTTP/1.1 connection, one request at a time. Node's own client would take more of the two cores than some of the
// measured servers. This one writes bytes and finds the end of an answer.
import { connect } from 'node:net'

export async function openConnection(port) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let pieces = ''
  let settle = null
  let ended = null
  socket.setEncoding('latin1')
  socket.on('data', (piece) => {
    pieces = pieces === '' ? piece : pieces + piece
    const answer = settle === null ? null : answerIn(pieces)
    if (answer === null) return
    pieces = ''
    const { resolve, reject } = settle
    settle = null
    if (answer.status === 200) resolve(answer.body)
    else reject(new Error(`HTTP ${answer.status}: ${answer.body.slice(0, 300)}`))
  })
  const lost = (error) => {
    ended ??= error ?? new Error('the server closed the connection')
    settle?.reject(ended)
  }
  socket.on('error', lost).on('close', () => lost())
  return {
    /** The answer's body, as Latin-1. */
    ask: (bytes) =>
      ended !== null
        ? Promise.reject(ended)
        : new Promise((resolve, reject) => {
            settle = { resolve, reject }
            socket.write(bytes)
          }),
    close: () => {
      settle = null
      socket.destroy()
    },
  }
}

export function requestBytes({ path, body }) {
  if (body === undefined) return `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`
  const text = Buffer.from(JSON.stringify(body))
  return Buffer.concat([
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`,
    ),
    text,
  ])
}

function answerIn(text) {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const head = text.slice(0, end).toLowerCase()
  const status = Number(head.slice(9, 12))
  const length = /\r\ncontent-length: (\d+)/.exec(head)
  if (length !== null) return text.length >= end + 4 + Number(length[1]) ? { status, body: text.slice(end + 4) } : null
  return text.endsWith('\r\n0\r\n\r\n') ? { status, body: text.slice(end + 4) } : null
}
