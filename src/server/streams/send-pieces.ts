import type { ServerResponse } from 'node:http'
import { type JsonText, piecesOf } from '../../graphql/results/long-text.js'
import { pauseIfDue } from '../../store/coalescing/time-slices.js'

/**
 * Writes a long text piece by piece, each after the socket has accepted the previous ones. So a connection holds one
 * encoded piece of it, and encoding does not hold the thread. Ends early if the connection closes.
 */
export async function sendPieces(response: ServerResponse, text: JsonText): Promise<void> {
  for (const piece of piecesOf(text)) {
    if (response.destroyed) return
    if (!response.write(piece, 'utf8')) await drained(response)
    await pauseIfDue()
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle)
      response.off('close', settle)
      resolve()
    }
    response.on('drain', settle)
    response.on('close', settle)
  })
}
