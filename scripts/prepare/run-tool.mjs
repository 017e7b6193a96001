import { spawn } from 'node:child_process'

// The running tools. A signal to this process is passed on to them, and ends this process once they have ended.
const running = new Set()
let interruptedBy

function passOn(signal) {
  interruptedBy = signal
  for (const child of running) child.kill(signal)
}

/**
 * Runs a program to its end, with its output going where ours goes, and resolves with its exit code. If this process
 * receives a signal to stop, the program is stopped, and this process ends with it.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<number>}
 */
export async function runTool(program, args, options = {}) {
  if (running.size === 0) for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, passOn)
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options })
  running.add(child)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)))
    })
  } finally {
    running.delete(child)
    if (running.size === 0) {
      for (const signal of ['SIGTERM', 'SIGINT']) process.off(signal, passOn)
      // Other listeners (the gateway, while the page is built) have received the signal too, and end the process in
      // their way.
      const isOurs = interruptedBy && process.listenerCount(interruptedBy) === 0
      if (isOurs) process.kill(process.pid, interruptedBy)
    }
  }
}
