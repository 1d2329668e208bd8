/**
 * One process at a time in a directory. Node has no flock, and a lock file alone cannot tell a crash from a reused
 * process id, least of all across containers. So the lock is a listening Unix socket in the directory: the kernel
 * closes it with its process, however that ends, and whoever can connect to it knows that the holder lives.
 *
 * Taking over a dead lock must not race. Locks are numbered, `lock/<n>.socket`, and given their name by link(2), which
 * refuses an existing name:
 *   - The holder is the highest number, if its socket answers. If it does not, a taker links its own socket to the next
 *     number; of several takers one wins, and the others start over and find it alive.
 *   - Lower numbers are removed only once a higher one stands, and the highest is never removed, not even at release.
 *     So a taker that was asleep between looking and linking can only ever get a number below the highest one; it looks
 *     again after linking, sees that, and steps back.
 * `lock/<n>.owner` holds the process id, for messages only.
 */
import { constants } from 'node:fs'
import { link, open, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { join, relative } from 'node:path'
import { LsmtError } from '../errors.ts'
import { isLinux, processId } from '../runtime/host.ts'
import { systemRandom } from '../runtime/random.ts'
import { makeFolders } from './local/make-folders.ts'
import { errnoOf, storageError } from './storage-errors.ts'

export interface DirectoryLock {
  release(): Promise<void>
}

/** The lock folder, and how sockets in it are addressed. */
interface LockFolder {
  readonly path: string
  readonly directory: string
  readonly handle: FileHandle
}

/** Takes the lock of an existing directory, or raises 55006 that names the process which has it. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = join(directory, 'lock')
  try {
    await makeFolders(path)
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      return await takeLock({ path, directory, handle })
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw storageError(cause, 'lock', directory)
  }
}

const attemptsMax = 100

async function takeLock(folder: LockFolder): Promise<DirectoryLock> {
  const ownName = `${systemRandom.nextU32().toString(36)}${systemRandom.nextU32().toString(36)}.taker`
  const server = await listen(socketAddress(folder, ownName))
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const number = await tryNextNumber(folder, ownName)
      if (number === undefined) continue
      await settle(folder, number)
      return { release: () => closeServer(server) }
    }
    throw inUse(folder, undefined)
  } catch (cause) {
    await closeServer(server)
    throw cause
  } finally {
    await rm(join(folder.path, ownName), { force: true })
  }
}

/** One attempt: the number that this process now holds, undefined to try again, or 55006. */
async function tryNextNumber(folder: LockFolder, ownName: string): Promise<number | undefined> {
  const highest = await highestNumber(folder)
  if (highest >= 0 && await answers(socketAddress(folder, socketName(highest)))) throw inUse(folder, await ownerOf(folder, highest))
  const number = highest + 1
  try {
    await link(join(folder.path, ownName), join(folder.path, socketName(number)))
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return undefined
    throw cause
  }
  if (await highestNumber(folder) === number) return number
  await rm(join(folder.path, socketName(number)), { force: true })
  return undefined
}

/** Names the owner, then clears away the locks and takers of processes before. */
async function settle(folder: LockFolder, number: number): Promise<void> {
  await writeFile(join(folder.path, ownerName(number)), `${processId}\n`)
  for (const name of await readdir(folder.path)) {
    const other = /^(\d+)\.(socket|owner)$/.exec(name)
    if (other !== null && Number(other[1]) < number) await rm(join(folder.path, name), { force: true })
  }
}

const socketName = (number: number): string => `${number}.socket`
const ownerName = (number: number): string => `${number}.owner`

async function highestNumber(folder: LockFolder): Promise<number> {
  const numbers = (await readdir(folder.path)).map((name) => /^(\d+)\.socket$/.exec(name)).filter((match) => match !== null)
  return numbers.reduce((highest, match) => Math.max(highest, Number(match[1])), -1)
}

/** Socket addresses are at most about 100 bytes: on Linux the folder is named by its descriptor, elsewhere relative to the working directory. */
function socketAddress(folder: LockFolder, name: string): string {
  if (isLinux) return `/proc/self/fd/${folder.handle.fd}/${name}`
  const near = relative('', join(folder.path, name))
  const absolute = join(folder.path, name)
  return near.length < absolute.length ? near : absolute
}

/** A server that only shows, by being there, that this process lives. It does not keep the process from ending. */
function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen({ path, exclusive: true }, () => {
      server.unref()
      resolve(server)
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => { server.close(() => resolve()) })
}

/** Whether a process listens at `path`. A full backlog (EAGAIN) is a live one; only a refusal or a missing name is a dead one. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (cause) => {
      const errno = errnoOf(cause)
      if (errno === 'ECONNREFUSED' || errno === 'ENOENT') resolve(false)
      else if (errno === 'EAGAIN' || errno === 'ECONNRESET' || errno === 'EPIPE') resolve(true)
      else reject(cause)
    })
  })
}

/** The owner writes its id just after it takes the lock; a reader may come between. */
async function ownerOf(folder: LockFolder, number: number): Promise<number | undefined> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const text = await readFile(join(folder.path, ownerName(number)), 'utf8').catch((cause: unknown) => {
      if (errnoOf(cause) === 'ENOENT') return ''
      throw cause
    })
    if (text.endsWith('\n')) return Number(text)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return undefined
}

function inUse(folder: LockFolder, owner: number | undefined): LsmtError {
  const who = owner === processId ? `this process (${processId})` : owner === undefined ? 'another process' : `process ${owner}`
  return new LsmtError('55006', `the data directory ${folder.directory} is in use by ${who}`, {
    file: folder.directory,
    hint: 'one process at a time may open a data directory: stop the other, or talk to it over HTTP',
  })
}
