/**
 * Blocks of bytes as files of a local directory, bounded together. Whatever becomes of them is no harm: each has a
 * checksum that its name is part of, and one that is gone, damaged or another's is a miss. So they are never synced, may
 * be deleted at any time, and writing goes on in the background and gives up where the disk has no room.
 *
 * A file: magic "LSMTBLK1", u32 bytes, u32 0, the first 16 bytes of SHA-256 over name and bytes, the bytes.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../runtime/clock.ts'
import { errnoOf } from '../storage-errors.ts'
import type { DiskCacheCounts, KeptBlock } from '../storage.ts'

export interface BlockFilesSettings {
  /** Created when it is first written to. What else is in it is left alone. */
  readonly directory: string
  readonly bytesMax: number
}

export interface BlockFiles {
  readonly counts: Readonly<DiskCacheCounts>
  /** undefined: it is not there, or not whole. */
  read(name: string): Promise<Uint8Array | undefined>
  /** Returns at once; the bytes must not change any more. */
  write(name: string, bytes: Uint8Array): void
  /** Counts a block that a helper has written; makes room for it. */
  note(block: KeptBlock): void
  /** Deletes those whose names start with it. */
  forget(prefix: string): void
  /** Resolves when what was begun is done. */
  settled(): Promise<void>
}

const magic = 'LSMTBLK1', headerBytes = 32
/** Bytes on their way to the disk; more are not kept. */
const pendingBytesMax = 64 * 1024 * 1024
const pauseAfterFailureMs = 30_000
const folder = 'lsmt-blocks'

interface State {
  readonly root: string
  readonly bytesMax: number
  readonly clock: Clock
  readonly counts: DiskCacheCounts
  /** Bytes on disk by name, the one used longest ago first. */
  readonly known: Map<string, number>
  readonly running: Set<Promise<void>>
  pendingBytes: number
  pausedUntilMs: number
  nextTemporary: number
  readonly tellOwner: ((block: KeptBlock) => void) | undefined
}

/** With `tellOwner` as the helper of another, in another thread, who counts and deletes. */
export function openBlockFiles({ directory, bytesMax }: BlockFilesSettings, clock: Clock, tellOwner?: (block: KeptBlock) => void): BlockFiles {
  const counts: DiskCacheCounts = { hits: 0, misses: 0, damaged: 0, evictions: 0, failures: 0, bytes: 0 }
  const state: State = { root: join(directory, folder), bytesMax, clock, counts, known: new Map(), running: new Set(), pendingBytes: 0, pausedUntilMs: 0, nextTemporary: 0, tellOwner }
  if (tellOwner === undefined) track(state, addWhatIsThere(state))
  return {
    counts,
    read: (name) => read(state, name),
    write(name, bytes) {
      if (state.pendingBytes + bytes.length > pendingBytesMax || clock.monotonicMs() < state.pausedUntilMs) return
      state.pendingBytes += bytes.length
      track(state, write(state, name, bytes).finally(() => { state.pendingBytes -= bytes.length }))
    },
    note: ({ name, bytes }) => note(state, name, bytes),
    forget(prefix) {
      for (const name of [...state.known.keys()].filter((each) => each.startsWith(prefix))) drop(state, name)
    },
    async settled() {
      while (state.running.size > 0) await Promise.all(state.running)
    },
  }
}

/** Of work that never fails, or may. */
function track(state: State, work: Promise<void>): void {
  const tracked: Promise<void> = work.catch(() => { state.counts.failures++ }).finally(() => state.running.delete(tracked))
  state.running.add(tracked)
}

/** What an earlier process left, by age. */
async function addWhatIsThere(state: State): Promise<void> {
  const entries = await readdir(state.root, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    if (errnoOf(cause) === 'ENOENT') return []
    throw cause
  })
  const found: { readonly name: string; readonly bytes: number; readonly ms: number }[] = []
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const seen = await stat(path).catch(() => undefined)
    if (seen === undefined) continue
    if (entry.name.endsWith('.partial')) await unlink(path).catch(() => undefined)
    else found.push({ name: path.slice(state.root.length + 1), bytes: seen.size, ms: seen.mtimeMs })
  }
  for (const { name, bytes } of found.toSorted((a, b) => a.ms - b.ms)) if (!state.known.has(name)) note(state, name, bytes)
}

/** The newest of all; makes room for it. */
function note(state: State, name: string, bytes: number): void {
  const { known, counts, bytesMax } = state
  counts.bytes += bytes - (known.get(name) ?? 0)
  known.delete(name)
  known.set(name, bytes)
  for (const oldest of known.keys()) {
    if (counts.bytes <= bytesMax) return
    counts.evictions++
    drop(state, oldest)
  }
}

function drop(state: State, name: string): void {
  state.counts.bytes -= state.known.get(name) ?? 0
  state.known.delete(name)
  track(state, rm(join(state.root, name), { force: true }))
}

async function read(state: State, name: string): Promise<Uint8Array | undefined> {
  const { counts } = state
  const file = await readFile(join(state.root, name)).catch(() => undefined)
  const bytes = file && contentsOf(name, file)
  if (bytes !== undefined) {
    counts.hits++
    if (state.tellOwner === undefined) note(state, name, file!.length)
    return bytes
  }
  counts.misses++
  if (file !== undefined) counts.damaged++
  if (file !== undefined || state.known.has(name)) drop(state, name)
  return undefined
}

function contentsOf(name: string, file: Buffer): Uint8Array | undefined {
  const bytes = file.subarray(headerBytes)
  const isWhole = file.length >= headerBytes && headerOf(name, bytes).equals(file.subarray(0, headerBytes))
  return isWhole ? bytes : undefined
}

function headerOf(name: string, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.write(magic, 'latin1')
  header.writeUInt32LE(bytes.length, 8)
  createHash('sha256').update(name).update('\0').update(bytes).digest().copy(header, 16, 0, 16)
  return header
}

async function write(state: State, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(state.root, name)
  const partial = `${path}.${state.tellOwner === undefined ? '' : 'helper-'}${state.nextTemporary++}.partial`
  const file = Buffer.concat([headerOf(name, bytes), bytes])
  try {
    await writeFile(partial, file).catch(async (cause: unknown) => {
      if (errnoOf(cause) !== 'ENOENT') throw cause
      await mkdir(dirname(path), { recursive: true })
      await writeFile(partial, file)
    })
    await rename(partial, path)
    if (state.tellOwner === undefined) note(state, name, file.length)
    else state.tellOwner({ name, bytes: file.length })
  } catch (cause) {
    state.pausedUntilMs = state.clock.monotonicMs() + pauseAfterFailureMs
    await unlink(partial).catch(() => undefined)
    throw cause
  }
}
