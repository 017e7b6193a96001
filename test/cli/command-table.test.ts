import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/command-table.js'

describe('the table of commands', () => {
  it('has a row for every file in src/cli/commands, and for no other', () => {
    const files = readdirSync(new URL('../../src/cli/commands', import.meta.url)).filter((file) => file.endsWith('.ts'))
    expect(COMMANDS.map(({ name }) => `${name}-command.ts`).sort()).toEqual(files.sort())
  })

  it.each(COMMANDS.map((row) => [row.name, row] as const))('loads the function of %s', async (name, { load }) => {
    expect((await load()).name).toBe(`${name}Command`)
  })
})
