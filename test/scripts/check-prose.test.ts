import { describe, expect, it } from 'vitest'

const { proseFaults } = (await import(
  /* @vite-ignore */ new URL('../../scripts/prose/check-prose.mjs', import.meta.url).href
)) as { proseFaults(path: string, text: string): string[] }
const { identifierRules, phraseRules } = (await import(
  /* @vite-ignore */ new URL('../../scripts/prose/rules.mjs', import.meta.url).href
)) as Record<'identifierRules' | 'phraseRules', { pattern: RegExp; instead: string; example: string }[]>

describe('the prose check', () => {
  it.each(phraseRules.map(({ example, instead }) => [example, instead]))('catches %j', (example, instead) => {
    expect(proseFaults('a.md', `# Title\n${example}`)).toEqual([
      expect.stringMatching(new RegExp(`^a\\.md:2 ".+": write ${instead.replace(/[()]/g, '\\$&')}$`)),
    ])
  })

  it.each(identifierRules.map(({ example }) => [example]))('catches the identifier %s', (name) => {
    expect(proseFaults('src/a.ts', `const ${name} = 1`)).toHaveLength(1)
    expect(proseFaults('src/a.ts', `  ${name}(): void {`)).toHaveLength(1)
    expect(proseFaults('src/a.ts', `// ${name} is a word here`)).toEqual([])
    expect(proseFaults(`src/${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.ts`, '')).toHaveLength(1)
  })

  it('catches a word within a constant, except in codes of the contract', () => {
    expect(proseFaults('src/a.ts', 'const REMEMBERED_MESSAGES = 1')).toHaveLength(1)
    expect(proseFaults('src/a.ts', "  HISTORY_NOT_KEPT: { error: '' },")).toEqual([])
  })

  it('lets plain English and field terms pass', () => {
    const text = '// What does it return?\n/** Retries again. */\nconst lookUp = returns\n<circle r="1" />'
    expect(proseFaults('src/a.ts', text)).toEqual([])
  })
})
