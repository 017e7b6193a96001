import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'src/core/README.md',
] as const

export function readText(path: string): string {
  return readFileSync(`${ROOT}${path}`, 'utf8')
}

export interface CodeBlock {
  readonly language: string
  readonly text: string
}

export function codeBlocks(markdown: string, language?: string): CodeBlock[] {
  const blocks = [...markdown.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)].map(([, found, text]) => ({
    language: found!,
    text: text!,
  }))
  return language === undefined ? blocks : blocks.filter((block) => block.language === language)
}

export function withoutCodeBlocks(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, '')
}

/** What stands between the heading of this text and the next of its level or above. */
export function section(markdown: string, heading: string): string {
  const match = new RegExp(`^(#+) ${heading}\\n(.*?)(?=^#{1,2} |$(?![\\s\\S]))`, 'ms').exec(markdown)
  if (match === null) throw new Error(`there is no section "${heading}"`)
  return match[2]!
}

/** The cells of every row of the tables in a text, headings and rules left out. */
export function tableRows(markdown: string): string[][] {
  return markdown.split(/\n(?!\|)/).flatMap((part) =>
    part
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2)
      .map((line) =>
        line
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((cell) => cell.trim()),
      ),
  )
}

/** What stands in backticks. */
export function codeSpans(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!)
}

/** The anchor that GitHub gives a heading. */
export function anchors(markdown: string): string[] {
  return [...withoutCodeBlocks(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

export interface ConsoleStep {
  readonly command: string
  /** What is shown below it, line ends included. */
  readonly output: string
}

/** The commands of a console block: each begins with `$ ` and goes on while a quote is open. */
export function consoleSteps(text: string): ConsoleStep[] {
  const steps: { command: string; output: string }[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const last = steps.at(-1)
    if (last !== undefined && hasOpenQuote(last.command)) last.command += `\n${line}`
    else if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: '' })
    else if (last === undefined) throw new Error(`output without a command: ${line}`)
    else last.output += `${line}\n`
  }
  return steps
}

function hasOpenQuote(command: string): boolean {
  return (command.match(/'/g)?.length ?? 0) % 2 === 1
}

/** A command's words; quotes are single ones. */
export function shellWords(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
}

/** The JSON bodies that a text's curl commands send. */
export function curlBodies(markdown: string): { query: string; variables?: Record<string, unknown> }[] {
  return codeBlocks(markdown, 'console')
    .flatMap(({ text }) => consoleSteps(text))
    .flatMap(({ command }) => {
      const words = shellWords(command)
      const at = words.indexOf('-d')
      return at < 0 ? [] : [JSON.parse(words[at + 1]!) as { query: string }]
    })
}
