import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (name: string) => readFileSync(`${root}${name}`, 'utf8')

// Comments out, continued lines joined: one instruction a line.
const instructions = read('Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => ({ name: line.split(' ')[0] ?? '', words: line.split(/\s+/).slice(1), line }))
const all = (name: string) => instructions.filter((instruction) => instruction.name === name)
const stages = instructions.reduce<(typeof instructions)[]>((found, instruction) => {
  if (instruction.name === 'FROM') found.push([])
  found.at(-1)?.push(instruction)
  return found
}, [])
const last = stages.at(-1) ?? []

describe('the Dockerfile', () => {
  it('runs npm scripts that exist', () => {
    const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts
    const called = all('RUN').flatMap(({ line }) =>
      [...line.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name ?? ''),
    )
    expect(called.length).toBeGreaterThan(0)
    for (const name of called) expect(scripts).toHaveProperty(name)
  })

  it('copies only files of the repository', () => {
    const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0')
    const sources = all('COPY')
      .filter(({ words }) => !words[0]?.startsWith('--from='))
      .flatMap(({ words }) => words.slice(0, -1).filter((word) => !word.startsWith('--')))
    expect(sources.length).toBeGreaterThan(5)
    for (const source of sources) {
      const found = tracked.some((file) => file === source || file.startsWith(`${source}/`))
      expect(found, `COPY ${source}`).toBe(true)
    }
  })

  it('copies nothing that .dockerignore leaves out', () => {
    const ignored = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    for (const { words } of all('COPY').filter(({ line }) => !line.includes('--from='))) {
      for (const source of words.slice(0, -1)) expect(ignored).not.toContain(source)
    }
  })

  it('gives the build every input that the build reads', () => {
    const inputs = [...read('scripts/prepare/build-steps.mjs').matchAll(/inputs: \[(.*)\]/g)].flatMap(([, list]) =>
      [...(list ?? '').matchAll(/'([^']+)'/g)].map(([, name]) => name ?? ''),
    )
    expect(inputs).toContain('src')
    const copied = (stages[0] ?? []).filter(({ name }) => name === 'COPY').flatMap(({ words }) => words.slice(0, -1))
    for (const input of inputs) expect(copied).toContain(input)
  })

  it('ends with a stage that is not root, has a health check, and stores its data on a volume', () => {
    const value = (name: string) =>
      last.filter((instruction) => instruction.name === name).map(({ words }) => words.join(' '))
    expect(value('USER')).toEqual(['node'])
    expect(value('VOLUME')).toEqual(['/data'])
    expect(value('EXPOSE')).toEqual(['4000'])
    expect(value('HEALTHCHECK')[0]).toContain('/healthz')
    expect(value('ENV').join(' ')).toMatch(/HOST=0\.0\.0\.0.*CADASTRE_DATA_DIR=\/data/)
    expect(all('FROM').length).toBeGreaterThan(1)
    for (const { words } of all('FROM')) expect(words[0]).toMatch(/^node:\d+-\w+-slim$/)
    // Instructions after USER run as that user, so installing would fail.
    const after = last.slice(last.findIndex(({ name }) => name === 'USER') + 1)
    expect(after.filter(({ name }) => name === 'RUN' || name === 'COPY')).toEqual([])
  })
})
