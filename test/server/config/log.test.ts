import { openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createLog } from '../../../src/server/observing/log.js'

// A terminal that shows a log would run the control characters that a client has put into a name.
it('escapes the hidden characters of names and messages in a log', () => {
  const file = join(tmpdir(), `cadastre-log-${process.pid}`)
  const name = 'a\u009b2J\u202eb\u200b\u{e0001}'
  try {
    createLog('info', openSync(file, 'w')).info({ name, error: { message: name } }, name)
    const text = readFileSync(file, 'utf8')
    expect(text).toMatch(/^[ -~]+\n$/)
    expect(JSON.parse(text)).toMatchObject({ name, error: { message: name }, msg: name })
  } finally {
    rmSync(file)
  }
})
