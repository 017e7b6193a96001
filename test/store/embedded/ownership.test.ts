import { readdirSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { takeOwnership } from '../../../src/store/embedded/ownership.js'
import { bundleForChild } from '../../support/bundle-for-child.js'
import { runChild } from './run-embedded-child.js'
import { scratchFolder } from './scratch-folder.js'

describe('the ownership of a data folder', () => {
  let bundle: string
  const undo: (() => unknown)[] = []
  beforeAll(async () => {
    bundle = await bundleForChild('test/store/embedded/embedded-child.ts')
  })
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  it('goes to exactly one of many processes that claim it at the same time', async () => {
    const folder = scratchFolder()
    undo.push(folder.remove)
    for (let round = 0; round < 40; round++) {
      const tries = await Promise.allSettled(Array.from({ length: 12 }, () => takeOwnership(folder.path)))
      const won = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      expect(won).toHaveLength(1)
      for (const result of tries)
        if (result.status === 'rejected') expect(String(result.reason)).toContain('is in use by')
      await won[0]?.release()
    }
    // Only the file with the number remains.
    expect(readdirSync(folder.path)).toHaveLength(1)
  })

  it('passes from a killed process to exactly one of those that start at that moment', async () => {
    const folder = scratchFolder()
    undo.push(folder.remove)
    const children = Array.from({ length: 4 }, () => runChild(bundle, 'own', folder.path))
    for (const child of children) undo.push(child.kill9)
    await Promise.all(children.map((child) => child.line('waiting')))
    const [first, ...others] = children
    first?.process.stdin?.write('go\n')
    expect(await first?.line('won')).toBe('won')
    await first?.kill9()
    for (const child of others) child.process.stdin?.write('go\n')
    const results = await Promise.all(others.map((child) => Promise.race([child.line('won'), child.line('lost')])))
    expect(results.filter((line) => line === 'won')).toHaveLength(1)
    const winner = others[results.indexOf('won')]?.process.pid
    for (const line of results.filter((result) => result !== 'won')) expect(line).toContain(`process id ${winner}`)
  })

  it('is refused while the owner is suspended and cannot answer', async () => {
    const folder = scratchFolder()
    undo.push(folder.remove)
    const child = runChild(bundle, 'own', folder.path)
    undo.push(child.kill9)
    await child.line('waiting')
    child.process.stdin?.write('go\n')
    await child.line('won')
    child.process.kill('SIGSTOP')
    await expect(takeOwnership(folder.path)).rejects.toThrow('is in use by another gateway')
  })
})
