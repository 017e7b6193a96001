import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withProgress } from './with-progress.mjs'

/**
 * Runs `work` while no other process on this machine runs any in the same clone. The lock is a listening socket, which
 * the kernel releases however this process ends. A file with a pid would remain after a kill.
 * @template T
 * @param {string} root the clone's folder
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function whileAlone(root, work) {
  const path = lockPath(root)
  let server = await tryListen(path)
  if (!server) {
    await withProgress('Waiting for another command that installs or builds in this folder', async () => {
      while (!server) {
        await sleep(200)
        server = await tryListen(path)
      }
    })
  }
  try {
    return await work()
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

function lockPath(root) {
  const name = `cadastre-prepare-${createHash('sha256').update(root).digest('hex').slice(0, 24)}`
  // Linux has an abstract namespace, where no file can be left behind. Other systems use a file.
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), name)
}

async function tryListen(path) {
  const server = createServer((socket) => socket.end())
  try {
    await new Promise((resolve, reject) => server.once('error', reject).listen(path, resolve))
    return server
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error
    if (!path.startsWith('\0') && !(await answers(path))) rmSync(path, { force: true })
    return undefined
  }
}

function answers(path) {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
  })
}
