// Starts, watches and ends the processes of the bench by their id, and manages their folders.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const TICK_MS = 10
const LONGEST_CLIENT_MS = 15 * 60_000
const LONGEST_START_MS = 3 * 60_000
const LONGEST_STOP_MS = 15_000

/** Everything that must not outlive the bench, however it ends: servers, clients, folders, and things with a stop function. */
const running = new Set()
const folders = new Set()
const stops = new Set()
let stopping = false
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), LONGEST_STOP_MS).unref()
    for (const child of running) child.kill('SIGKILL')
    Promise.allSettled([...stops].map((stop) => stop())).then(() => process.exit(1))
  })
}

/** True after a signal: failures from then on are caused by it. */
export const isStopping = () => stopping

/** Calls `stop` when a signal arrives. Returns a function that cancels this. */
export function atSignal(stop) {
  stops.add(stop)
  return () => stops.delete(stop)
}

/** Creates a folder in the system's temporary folder. It is removed by `remove`, or when the bench ends. */
export function scratchFolder(name) {
  const path = mkdtempSync(join(tmpdir(), `cadastre-bench-${name}-`))
  folders.add(path)
  return {
    path,
    remove: () => {
      folders.delete(path)
      rmSync(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Ends the processes that a failed workload has left running. */
export async function stopStrays() {
  await Promise.all(
    [...running].map((child) => {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      return gone
    }),
  )
}

/** Starts a server and waits until it prints a line in which `ready` finds a port. */
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
    child.once('exit', (code) =>
      reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${printed.slice(-2_000)}`)),
    )
    setTimeout(
      () =>
        reject(
          new Error(
            `${command} ${args.join(' ')} was not ready within ${LONGEST_START_MS / 1_000} s:\n${printed.slice(-2_000)}`,
          ),
        ),
      LONGEST_START_MS,
    ).unref()
  })
  return {
    port,
    pid: child.pid,
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

/** Runs a client until it ends. `began` and `done` are called around its measurement. */
export async function runClient(file, job, { began, done, onMessage = () => undefined } = {}) {
  const child = fork(file, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  running.add(child)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
      setTimeout(
        () => reject(new Error(`${file} had not ended after ${LONGEST_CLIENT_MS / 60_000} minutes`)),
        LONGEST_CLIENT_MS,
      ).unref()
      child.on('message', (message) => {
        if (message === 'began') began?.()
        else if (message.failed !== undefined) reject(new Error(message.failed))
        else if (message.done !== undefined) {
          done?.()
          resolve(message.done)
        } else onMessage(message, (answer) => child.send(answer))
      })
      child.send(job)
    })
  } finally {
    child.kill('SIGKILL')
    running.delete(child)
  }
}

/** CPU time in ms of processes and their children so far. Ended children count for the process that waited for them. */
export function cpuTime(pids) {
  if (!existsSync('/proc/self/stat')) return NaN
  const parents = new Map()
  const taken = new Map()
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      parents.set(Number(name), Number(fields[1]))
      taken.set(
        Number(name),
        fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0),
      )
    } catch (error) {
      // The process ended while the list was read.
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error
    }
  }
  const ours = new Set(pids)
  for (let found = true; found; ) {
    found = false
    for (const [pid, parent] of parents) if (ours.has(parent) && !ours.has(pid)) found = Boolean(ours.add(pid))
  }
  return [...ours].reduce((sum, pid) => sum + (taken.get(pid) ?? 0), 0)
}

const memory = (pid, which) =>
  existsSync('/proc/self/status')
    ? Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024
    : NaN
/** The peak memory of a process, in MB. */
export const peakMemory = (pid) => memory(pid, 'VmHWM')
/** The current memory of a process, in MB. */
export const residentMemory = (pid) => memory(pid, 'VmRSS')
