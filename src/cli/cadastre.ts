import { readFile } from 'node:fs/promises'
import { runCli } from './run-cli.js'
import { processTerminal } from './terminal/terminal.js'

const { env, stdout, stderr, argv } = process

// `Terminal.write` reports a failed write to its caller. Without a listener the process would end with a stack trace.
for (const stream of [stdout, stderr]) stream.on('error', () => {})

const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const wantsColors = (env['FORCE_COLOR'] ?? '0') !== '0' || (stdout.isTTY && env['TERM'] !== 'dumb')
const colors = (env['NO_COLOR'] ?? '') === '' && wantsColors

const exitCode = await runCli(argv.slice(2), {
  terminal: processTerminal({ stdout, stderr, colors }),
  defaultUrl: env['CADASTRE_URL'] || undefined,
  version,
})
// After `serve` the gateway sets the exit code itself.
if (exitCode !== 0) process.exitCode = exitCode
