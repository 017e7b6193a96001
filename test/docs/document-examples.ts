import { codeBlocks, consoleSteps } from './markdown.js'

/** A command with the output that a document shows. */
export interface CommandExample {
  readonly kind: 'command'
  readonly command: string
  readonly output: string
}

/** A GraphQL document with the variables and the result that a document shows. */
export interface GraphqlExample {
  readonly kind: 'graphql'
  readonly query: string
  /** JSON. `"<name>"` stands for the value that an earlier result bound to that name. */
  readonly variables: string
  /** Undefined if the document shows no result. */
  readonly result: unknown
}

export type Example = CommandExample | GraphqlExample

/** The examples of a Markdown text that can be run, in order. */
export function documentExamples(markdown: string): Example[] {
  const blocks = codeBlocks(markdown)
  return blocks.flatMap(({ language, text }, i): Example[] => {
    if (language === 'console') return consoleSteps(text).map((step) => ({ kind: 'command', ...step }))
    if (language !== 'graphql') return []
    const next = blocks.slice(i + 1, i + 3)
    const attached = (name: string) => {
      const at = next.findIndex((block) => block.language === 'json' && block.name === name)
      return next.slice(0, at).every((block) => block.language === 'json') ? next[at]?.text : undefined
    }
    const result = attached('result')
    return [
      {
        kind: 'graphql',
        query: text,
        variables: attached('variables') ?? '{}',
        result: result === undefined ? undefined : JSON.parse(result),
      },
    ]
  })
}

/** The files that a document shows, by name: blocks whose fence names a file. */
export function documentFiles(markdown: string): ReadonlyMap<string, string> {
  return new Map(
    codeBlocks(markdown)
      .filter(({ name }) => /^[\w./-]+\.\w+$/.test(name))
      .map(({ name, text }) => [name, text]),
  )
}
