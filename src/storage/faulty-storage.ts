/**
 * A disk that fails on command, for tests. It keeps what processes see (`seen`) apart from what would survive a loss of
 * power (`durable` and the un-synced writes of append files), numbers its operations, and can fail or crash at any of them.
 *
 * A crash at operation n is a moment within it: by seed the operation has or has not taken effect, but its caller never
 * learns. Every later operation, and every delayed one still under way, rejects; `crash()` gives the storage that a
 * restarted process would find. With no faults set it is a plain conforming storage.
 */
import { LsmtError } from '../errors.ts'
import { seededRandom } from '../runtime/random.ts'
import type { Random } from '../runtime/random.ts'
import { crashImage } from './crash-image.ts'
import type { PendingWrite } from './crash-image.ts'
import { concatenated, copyFile, writeAt } from './memory-disk.ts'
import type { MemoryDisk, MemoryFile } from './memory-disk.ts'
import { createMemoryStorage } from './memory-storage.ts'
import type { AppendFile, ObjectReader, ObjectWriter, Storage, TemporaryFile } from './storage.ts'

export interface StorageOperation {
  /** Counted from 1. */
  readonly number: number
  readonly kind: 'createIfAbsent' | 'publish' | 'createAppend' | 'openAppend' | 'createTemporary' | 'discard' | 'write' | 'sync' | 'open' | 'read' | 'list' | 'delete' | 'append'
  readonly name: string
}

/** Kinds after which the disk may differ: the ones a crash test has to visit. */
export const changingKinds: readonly StorageOperation['kind'][] = ['createIfAbsent', 'publish', 'createAppend', 'write', 'sync', 'delete']

export interface FaultOptions {
  readonly seed: number
  /** The number of the operation in which the power goes. */
  readonly crashAtOperation?: number
  /** An error to fail this operation with, before it takes effect; undefined lets it be. A failed write or sync poisons its file, but a write that fails with 53100 does not. */
  readonly fail?: (operation: StorageOperation) => LsmtError | undefined
  /** Asynchronous operations wait a random number of event-loop turns up to this; 0 by default. */
  readonly delayTurnsMax?: number
  readonly syncReads?: boolean
  /** false: no append files, as in a bucket. */
  readonly appends?: boolean
}

export interface FaultyStorage extends Storage {
  /** All operations begun so far. */
  readonly operations: readonly StorageOperation[]
  readonly crashed: boolean
  /** Crashes now, unless it has already, and gives what a restarted process would find, with new faults. */
  crash(options: FaultOptions): FaultyStorage
  /** The same after the loss of the process alone: what it wrote is all there to be seen, and as little durable as before. */
  restart(options: FaultOptions): FaultyStorage
}

/** Everything that the parts of one faulty storage share. */
interface FaultState {
  readonly options: FaultOptions
  readonly random: Random
  readonly seen: Storage
  readonly durable: MemoryDisk
  readonly pending: Map<string, PendingWrite[]>
  readonly operations: StorageOperation[]
  crashed: boolean
}

/** `disk` is what is durable at the start; the storage owns it from then on. */
export function createFaultyStorage(options: FaultOptions, disk: MemoryDisk = new Map()): FaultyStorage {
  return faultyStorageOver(options, disk, new Map())
}

/** A faulty storage that starts from a durable disk and un-synced writes on it, both of which it owns. */
function faultyStorageOver(options: FaultOptions, durable: MemoryDisk, pending: Map<string, PendingWrite[]>): FaultyStorage {
  const disk = new Map([...durable].map(([name, file]) => [name, withWrites(file, pending.get(name) ?? [])]))
  const { syncReads = true, appends = true } = options
  const seen = createMemoryStorage({ disk, syncReads, appends })
  const state: FaultState = { options, random: seededRandom(options.seed), seen, durable, pending, operations: [], crashed: false }
  return {
    description: `faulty disk of seed ${options.seed}`,
    appends,
    counts: seen.counts,
    operations: state.operations,
    get crashed() { return state.crashed },
    createIfAbsent: (name, parts) => perform(state, 'createIfAbsent', name, async () => {
      const outcome = await seen.createIfAbsent(name, parts)
      if (outcome === 'created') state.durable.set(name, concatenated(parts))
      return outcome
    }),
    create: async (name) => faultyWriter(state, name, await seen.create(name)),
    open: async (name, byteLength) => faultyReader(state, name, await perform(state, 'open', name, () => seen.open(name, byteLength))),
    read: (name) => perform(state, 'read', name, () => seen.read(name)),
    createAppend: async (name, preallocateBytes) => {
      const file = await perform(state, 'createAppend', name, async () => {
        const created = await seen.createAppend(name, preallocateBytes)
        state.durable.set(name, { room: new Uint8Array(preallocateBytes), byteLength: preallocateBytes })
        return created
      })
      return faultyAppend(state, name, file)
    },
    openAppend: async (name) => faultyAppend(state, name, await perform(state, 'openAppend', name, () => seen.openAppend(name))),
    createTemporary: async () => faultyTemporary(state, await perform(state, 'createTemporary', temporaryName, () => seen.createTemporary())),
    list: (prefix) => perform(state, 'list', prefix, () => seen.list(prefix)),
    delete: (name) => perform(state, 'delete', name, async () => {
      await seen.delete(name)
      state.durable.delete(name)
      state.pending.delete(name)
    }),
    close: () => seen.close(),
    crash: (next) => {
      state.crashed = true
      return faultyStorageOver(next, survivors(state), new Map())
    },
    restart: (next) => {
      state.crashed = true
      return faultyStorageOver(next, new Map([...state.durable].map(([name, file]) => [name, copyFile(file)])), new Map([...state.pending].map(([name, writes]) => [name, [...writes]])))
    },
  }
}

function withWrites(file: MemoryFile, writes: readonly PendingWrite[]): MemoryFile {
  const copy = copyFile(file)
  for (const write of writes) writeAt(copy, write.bytes, write.byteOffset)
  return copy
}

function survivors(state: FaultState): MemoryDisk {
  const random = seededRandom(state.options.seed ^ 0x5ec7_0125)
  return new Map([...state.durable].map(([name, file]) => [name, crashImage(file, state.pending.get(name) ?? [], random)]))
}

function crashedError(name: string): LsmtError {
  return new LsmtError('55000', `the disk has crashed: ${name}`, { file: name })
}

/** Numbers an operation and meets the fault that is set for it. Returns whether the power goes in it. */
function begin(state: FaultState, kind: StorageOperation['kind'], name: string): boolean {
  if (state.crashed) throw crashedError(name)
  const operation = { number: state.operations.length + 1, kind, name }
  state.operations.push(operation)
  const failure = state.options.fail?.(operation)
  if (failure !== undefined) throw failure
  return operation.number === state.options.crashAtOperation
}

function performNow(state: FaultState, kind: StorageOperation['kind'], name: string, act: () => void): void {
  const crashes = begin(state, kind, name)
  if (!crashes || state.random.below(2) === 0) act()
  if (!crashes) return
  state.crashed = true
  throw crashedError(name)
}

async function perform<T>(state: FaultState, kind: StorageOperation['kind'], name: string, act: () => Promise<T>): Promise<T> {
  const crashes = begin(state, kind, name)
  for (let turns = state.random.below((state.options.delayTurnsMax ?? 0) + 1); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
  if (state.crashed) throw crashedError(name)
  if (!crashes) return act()
  const takesEffect = state.random.below(2) === 0
  try {
    if (takesEffect) await act()
  } finally {
    state.crashed = true
  }
  throw crashedError(name)
}

/** What a writer has before it is published is gone after a crash, so only `publish` touches either side. */
function faultyWriter(state: FaultState, name: string, writer: ObjectWriter): ObjectWriter {
  const written: MemoryFile = concatenated([])
  let byteOffset = 0
  let failure: unknown
  return {
    append: (bytes) => {
      const at = byteOffset
      byteOffset += bytes.length
      return perform(state, 'append', name, async () => {
        await writer.append(new Uint8Array(0))
        writeAt(written, bytes, at)
      }).catch((cause: unknown) => { throw (failure ??= cause) })
    },
    publish: () => perform(state, 'publish', name, async () => {
      if (failure !== undefined) throw failure
      await writer.append(written.room.subarray(0, written.byteLength))
      await writer.publish()
      state.durable.set(name, copyFile(written))
    }),
    abort: () => writer.abort(),
  }
}

function faultyReader(state: FaultState, name: string, reader: ObjectReader): ObjectReader {
  const { readSync } = reader
  return {
    byteLength: reader.byteLength,
    read: (into, byteOffset) => perform(state, 'read', name, () => reader.read(into, byteOffset)),
    readSync: readSync && ((into, byteOffset) => {
      if (begin(state, 'read', name)) state.crashed = true
      if (state.crashed) throw crashedError(name)
      readSync(into, byteOffset)
    }),
    close: () => reader.close(),
  }
}

const temporaryName = 'a temporary file'

/** Nothing of it outlives a crash. */
function faultyTemporary(state: FaultState, file: TemporaryFile): TemporaryFile {
  return {
    name: file.name,
    append: (bytes) => perform(state, 'append', temporaryName, () => file.append(bytes)),
    read: (into, byteOffset) => perform(state, 'read', temporaryName, () => file.read(into, byteOffset)),
    discard: () => perform(state, 'discard', temporaryName, () => file.discard()),
  }
}

function faultyAppend(state: FaultState, name: string, file: AppendFile): AppendFile {
  let failure: unknown
  const write = (parts: readonly Uint8Array[], byteOffset: number): void => {
    const crashes = begin(state, 'write', name)
    file.write(parts, byteOffset)
    const { room, byteLength } = concatenated(parts)
    addPending(state, name, { bytes: room.subarray(0, byteLength), byteOffset })
    if (!crashes) return
    state.crashed = true
    throw crashedError(name)
  }
  const sync = (): Promise<void> => {
    const covered = new Set(state.pending.get(name))
    return perform(state, 'sync', name, async () => {
      await file.sync()
      settle(state, name, covered)
    })
  }
  return {
    write: (parts, byteOffset) => {
      if (failure !== undefined) throw failure
      try {
        write(parts, byteOffset)
      } catch (cause) {
        if (!(cause instanceof LsmtError && cause.code === '53100')) failure = cause
        throw cause
      }
    },
    sync: async () => {
      if (failure !== undefined) throw failure
      try {
        await sync()
      } catch (cause) {
        throw (failure ??= cause)
      }
    },
    syncNow: file.syncNow && (() => {
      if (failure !== undefined) throw failure
      try {
        performNow(state, 'sync', name, () => {
          file.syncNow?.()
          settle(state, name, new Set(state.pending.get(name)))
        })
      } catch (cause) {
        throw (failure ??= cause)
      }
    }),
    close: () => file.close(),
  }
}

function addPending(state: FaultState, name: string, write: PendingWrite): void {
  const pending = state.pending.get(name)
  if (pending === undefined) state.pending.set(name, [write])
  else pending.push(write)
}

/** Moves the writes that a sync covered to the durable side, unless a sync that overtook it has. */
function settle(state: FaultState, name: string, covered: ReadonlySet<PendingWrite>): void {
  const durable = state.durable.get(name)
  const pending = state.pending.get(name)
  if (durable === undefined || pending === undefined) return
  for (const write of pending) if (covered.has(write)) writeAt(durable, write.bytes, write.byteOffset)
  state.pending.set(name, pending.filter((write) => !covered.has(write)))
}
