import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Every document of the repository, by its path. */
export const DOCUMENTS = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && !path.startsWith('test/fixtures/') && existsSync(join(ROOT, path)))

export function readText(path: string): string {
  return readFileSync(`${ROOT}${path}`, 'utf8')
}

export interface CodeBlock {
  readonly language: string
  /** The second word after the fence: a file's name, or `variables` or `result`. */
  readonly name: string
  readonly text: string
}

/** The fenced blocks of a document, in order. */
export function codeBlocks(markdown: string, language?: string): CodeBlock[] {
  const blocks = [...markdown.matchAll(/^```(\w*) ?([^\n]*)\n(.*?)^```$/gms)].map(([, found, name, text]) => ({
    language: found!,
    name: name!,
    text: text!,
  }))
  return language === undefined ? blocks : blocks.filter((block) => block.language === language)
}

export function withoutCodeBlocks(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, '')
}

/** The text from a heading to the next heading of level 1 or 2. @throws Error if the heading is missing */
export function section(markdown: string, heading: string): string {
  const match = new RegExp(`^(#+) ${heading}\\n(.*?)(?=^#{1,2} |$(?![\\s\\S]))`, 'ms').exec(markdown)
  if (match === null) throw new Error(`The document has no section "${heading}".`)
  return match[2]!
}

/** The cells of every table row in a text, without table headings. */
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

/** The texts in backticks. */
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
  /** The output shown below the command, including line ends. */
  readonly output: string
}

/** The commands of a console block. Each begins with `$ ` and continues while a quote is open. */
export function consoleSteps(text: string): ConsoleStep[] {
  const steps: { command: string; output: string }[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    const last = steps.at(-1)
    if (last !== undefined && hasOpenQuote(last.command)) last.command += `\n${line}`
    else if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: '' })
    else if (last === undefined) throw new Error(`The console block begins with output instead of a command: ${line}`)
    else last.output += `${line}\n`
  }
  return steps
}

function hasOpenQuote(command: string): boolean {
  return (command.match(/'/g)?.length ?? 0) % 2 === 1
}

/** The words of a command. Only single quotes are supported. */
export function shellWords(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
}
