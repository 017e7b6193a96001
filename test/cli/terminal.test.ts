import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { processTerminal } from '../../src/cli/terminal/terminal.js'

/** A stream that records what is written, as a terminal of 20 columns or as a pipe. */
function recorded(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = ''
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 20 })
  stream.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text }
}

const CLEAR = '\r\u001b[2K'

describe('the status line', () => {
  it('is written over the previous one, and removed before anything else is written', async () => {
    const { stream, text } = recorded(true)
    const terminal = processTerminal({ stdout: stream, stderr: stream, colors: false })
    terminal.showStatus('first')
    terminal.showStatus('second')
    await terminal.write('result\n')
    terminal.note('note')
    terminal.showStatus('third')
    terminal.note('note')
    terminal.showStatus(null)
    expect(text()).toBe(`${CLEAR}first${CLEAR}second${CLEAR}result\nnote\n${CLEAR}third${CLEAR}note\n`)
  })

  it('never wraps, because a wrapped line could not be replaced, and controls no terminal', () => {
    const { stream, text } = recorded(true)
    processTerminal({ stdout: stream, stderr: stream, colors: false }).showStatus(`\u001b[2J${'x'.repeat(40)}`)
    expect(text()).toBe(`${CLEAR}\\u001b[2J${'x'.repeat(10)}`)
  })

  it('is not shown in a file or pipe', () => {
    const { stream, text } = recorded(false)
    const terminal = processTerminal({ stdout: stream, stderr: stream, colors: false })
    terminal.showStatus('first')
    terminal.note('note')
    expect(text()).toBe('note\n')
  })
})
