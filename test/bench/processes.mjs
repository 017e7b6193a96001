// Processes of the bench: started, watched, and ended by their id.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync } from 'node:fs'

const TICK_MS = 10
/** Servers that run: they are not to outlive the bench, however it ends. */
const running = new Set()
process.on('exit', () => { for (const child of running) child.kill('SIGKILL') })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

/** Starts a server and waits until it has printed what `ready` finds a port in. */
export async function startServer(command, args, { ready, env = {}, cwd }) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let printed = ''
  const port = await new Promise((resolve, reject) => {
    const read = (text) => {
      if (printed.length > 1e6) return
      printed += text
      const found = ready.exec(printed)
      if (found !== null) resolve(Number(found[1]))
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${printed.slice(-2_000)}`)))
  })
  return {
    port, pid: child.pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await gone
      clearTimeout(late)
    },
  }
}

/** Runs a client to its end. `began` and `done` are called around what it measures. */
export async function runClient(file, job, { began, done, onMessage = () => undefined } = {}) {
  const child = fork(file, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  running.add(child)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
      child.on('message', (message) => {
        if (message === 'began') began?.()
        else if (message.failed !== undefined) reject(new Error(message.failed))
        else if (message.done !== undefined) { done?.(); resolve(message.done) }
        else onMessage(message, (answer) => child.send(answer))
      })
      child.send(job)
    })
  } finally {
    child.kill('SIGKILL')
    running.delete(child)
  }
}

/** CPU time in ms that processes and their children have taken so far; those that ended are counted by who waited for them. */
export function cpuTime(pids) {
  if (!existsSync('/proc/self/stat')) return NaN
  const parents = new Map()
  const taken = new Map()
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      parents.set(Number(name), Number(fields[1]))
      taken.set(Number(name), fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0))
    } catch (error) {
      // It ended while the list was read.
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error
    }
  }
  const ours = new Set(pids)
  for (let found = true; found;) {
    found = false
    for (const [pid, parent] of parents) if (ours.has(parent) && !ours.has(pid)) found = Boolean(ours.add(pid))
  }
  return [...ours].reduce((sum, pid) => sum + (taken.get(pid) ?? 0), 0)
}

/** The most memory that a process ever held, in MB. */
export const peakMemory = (pid) => !existsSync('/proc/self/status') ? NaN : Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024
