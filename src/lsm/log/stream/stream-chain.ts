/**
 * The objects of a stream that count. Each names the put id of the one before, so the newest one and those that it leads
 * back to are the log. An object that nobody leads to was created under a name that had been used and deleted: its writer
 * had been overtaken, and acknowledged nothing of it; or a repair has cut the log below it, and the object that follows it
 * names the last one that was kept. The newest object with data is never deleted, nor what
 * comes after it, so that the newest object is always one that counts.
 */
import { corruption, LsmtError } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Storage } from '../../../storage/storage.ts'
import { fileNumberOf, streamFolder, streamObjectName } from '../../file-names.ts'
import { decodeObject, noPutId } from './object-format.ts'
import type { LogObjectHeader, ObjectRecord } from './object-format.ts'

export interface StreamFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly stream: number
}

/** An object as others are led to it. */
export interface ChainLink {
  readonly name: string
  readonly header: LogObjectHeader
}

export interface ChainObject extends ChainLink {
  readonly records: readonly ObjectRecord[]
}

/** Where the next object goes. */
export interface StreamTail {
  readonly nextId: number
  readonly previousPutId: string
}

export interface StreamChain<T extends ChainLink = ChainObject> {
  /** Oldest first. */
  readonly objects: readonly T[]
  readonly tail: StreamTail
  /** Names of the others. */
  readonly strays: readonly string[]
}

const readsAtOnce = 8
/** How often a listing may be outrun by deletions. */
const listingsMax = 10

/** Where the stream ends now. */
export async function readTail(floor: StreamFloor): Promise<StreamTail> {
  return await againWhenGone(async () => {
    const newest = (await objectIds(floor)).at(-1)
    if (newest === undefined) return { nextId: 1, previousPutId: noPutId }
    return { nextId: newest + 1, previousPutId: (await readChainObject(floor, newest)).header.putId }
  })
}

/** All that counts. XX001 when an object among it is damaged or missing. */
export function readChain(floor: StreamFloor): Promise<StreamChain> {
  return readChainAs(floor, undefined, (object) => object)
}

/** The same, of which `take` says what is kept of each object; `listed`: ids as they were when this writer had fenced the stream. */
export async function readChainAs<T extends ChainLink>(floor: StreamFloor, listed: readonly number[] | undefined, take: (object: ChainObject) => T): Promise<StreamChain<T>> {
  let known = listed
  return await againWhenGone(async () => {
    const ids = known ?? (await objectIds(floor))
    known = undefined
    const below = ids.toReversed()
    const newestFirst: T[] = []
    for (let i = 0; i < below.length; i += readsAtOnce) {
      const read = await Promise.all(below.slice(i, i + readsAtOnce).map((id) => readChainObject(floor, id)))
      for (const object of read) if (leadsTo(newestFirst.at(-1), object)) newestFirst.push(take(object))
    }
    const objects = newestFirst.toReversed()
    checkStart(floor, objects)
    const counting = new Set(objects.map(({ name }) => name))
    const strays = ids.map((id) => streamObjectName(floor.stream, id)).filter((name) => !counting.has(name))
    return { objects, strays, tail: { nextId: (ids.at(-1) ?? 0) + 1, previousPutId: objects.at(-1)?.header.putId ?? noPutId } }
  })
}

export async function objectIds({ storage, stream }: Pick<StreamFloor, 'storage' | 'stream'>): Promise<readonly number[]> {
  const folder = streamFolder(stream)
  return (await storage.list(folder)).map(({ name }) => fileNumberOf(name, folder, 'wal')).filter((id) => id !== undefined)
}

export async function readChainObject({ storage, kernel, stream }: StreamFloor, id: number): Promise<ChainObject> {
  const name = streamObjectName(stream, id)
  return { name, ...decodeObject(kernel, await storage.read(name), name, { stream, id }) }
}

/** Whether `older` is what the object after it was written behind. */
export function leadsTo(newer: ChainLink | undefined, older: ChainLink): boolean {
  if (newer === undefined) return true
  return newer.header.previousPutId === older.header.putId
}

/** The first object tells how far the log was; a fence does not, and stands behind an object that does unless there never was one. */
function checkStart({ stream }: StreamFloor, objects: readonly ChainLink[]): void {
  const first = objects[0]
  if (first === undefined || first.header.kind === 'data' || first.header.previousPutId === noPutId) return
  if (objects.some(({ header }) => header.kind === 'data')) return
  throw missingObjects(stream, first, 'the last object with data before it')
}

/** Something that the log still needs is not there. */
export function missingObjects(stream: number, first: ChainLink, expected: string): LsmtError {
  return corruption('log', { file: streamObjectName(stream, first.header.id - 1), expected, actual: `none, though ${first.name} is there` })
}

/** Reads again when an object went between the listing and its reading. */
async function againWhenGone<T>(read: () => Promise<T>): Promise<T> {
  for (let listings = 1; ; listings++) {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof LsmtError && error.code === '58P01') || listings === listingsMax) throw error
    }
  }
}
