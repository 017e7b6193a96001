import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { processTerminal } from '../../src/cli/terminal/terminal.js'
import { yamlText } from '../../src/cli/terminal/yaml-text.js'

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

/** Texts with many characters that control a terminal, reorder its text or cannot be seen. */
const texts = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'\u0000\u0007\t\n\r\u001b\u007f\u0085\u009b\u00ad\u061c\u180e\u200b\u200e\u200f\u2028\u2029'),
    fc.constantFrom(...'\u202a\u202e\u2060\u2066\u2069\ufeff\u{e0001}\u{e007f}', '\u001b[31m', '\u009b31m', '\ud800'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
})
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}\p{Surrogate}]/u

describe('what is printed', () => {
  async function printed(colors: boolean, text: string): Promise<string> {
    const { stream, text: all } = recorded(false)
    const terminal = processTerminal({ stdout: stream, stderr: stream, colors })
    await terminal.write(text)
    terminal.note(text)
    return all()
  }

  // U+009B begins a control sequence as ESC [ does, and U+202E reverses what follows.
  it('contains no hidden character, whichever text a command prints', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await printed(false, text)).not.toMatch(HIDDEN)
        expect((await printed(true, text)).replace(/\u001b\[[\d;]*m/g, '')).not.toMatch(HIDDEN)
      }),
    )
  })

  it('is the same JSON value', async () => {
    await fc.assert(
      fc.asyncProperty(texts, texts, async (key, text) => {
        const value = Object.fromEntries([[key, [text]]])
        const twice = await printed(false, `${JSON.stringify(value)}\n`)
        expect(JSON.parse(twice.split('\n')[0]!)).toEqual(value)
      }),
    )
  })

  // U+E0000 is not assigned, but invisible all the same. It was printed as it is.
  it('escapes an invisible character that is not assigned', () => {
    expect(yamlText({ '\u{e0000}': ['\u{e0fff}'] }, 'it')).toBe('"\\U000e0000":\n  - "\\U000e0fff"\n')
  })

  it('is the same YAML value', async () => {
    await fc.assert(
      fc.asyncProperty(texts, texts, async (key, text) => {
        // An entry holds no lone surrogates.
        const value = JSON.parse(JSON.stringify({ [key]: [text] }).replaceAll('\\ud800', '')) as unknown
        const yaml = yamlText(value, 'it')
        expect(yaml).not.toMatch(HIDDEN)
        expect(parse(yaml)).toEqual(value)
      }),
    )
  })

  it('keeps colours, the joiners of emoji and right-to-left text', async () => {
    const text = `${pc.createColors(true).red('red')} 👩\u200d💻 \u05e9\u05dc\u05d5\u05dd \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645`
    expect(await printed(true, text)).toBe(`${text}${text}\n`)
    expect(await printed(false, '\u001b[31mred\u009b')).toContain('\\u001b[31mred\\u009b')
  })
})
