// Starting what is measured, and asking it and the kernel about it.
import { fork, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (file) => fileURLToPath(new URL(file, import.meta.url))
const profile = process.env.PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE}`] : []

/** A process that answers tasks over IPC. */
export async function tasked(file) {
  const child = fork(here(file), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const waiting = new Map()
  let next = 0
  const ready = new Promise((resolve) => child.once('message', resolve))
  child.on('message', ({ id, answer, error }) => {
    const { resolve, reject } = waiting.get(id) ?? {}
    waiting.delete(id)
    if (error) reject?.(new Error(error))
    else resolve?.(answer)
  })
  const hello = await ready
  const post = (message) => new Promise((resolve, reject) => {
    waiting.set(++next, { resolve, reject })
    child.send({ id: next, ...message })
  })
  return { child, hello, post, do: (task, input) => post({ task, input }), end: () => child.kill() }
}

export async function startGateway(environment, profiled = false) {
  const child = spawn(process.execPath, [...(profiled ? profile : []), '--expose-gc', here('../../../dist/server/main.js')], {
    env: { ...process.env, PORT: '0', ...environment }, stdio: ['ignore', 'pipe', 'inherit'],
  })
  const endpoint = await new Promise((resolve) => child.stdout.on('data', (text) => resolve(/endpoint (\S+)/.exec(text)[1])))
  return {
    child, endpoint, port: Number(new URL(endpoint).port),
    async end() {
      child.kill('SIGTERM')
      await new Promise((resolve) => child.once('exit', resolve))
    },
  }
}

/** CPU of all threads of a process, in milliseconds. */
export function cpuMs(pid) {
  let sum = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0])
  return sum / 1e6
}

export function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
}

export const now = () => Number(process.hrtime.bigint()) / 1e6
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
