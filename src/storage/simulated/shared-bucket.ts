/**
 * A bucket that several clients use at once, with what networks do to requests, for tests: a creation whose outcome its
 * client never learns though it took effect, took effect only later, or never; one that comes a second time later; and
 * clients that stand still before a request, or between its effect and its answer, for as long as the test wants. One
 * seed gives one run.
 *
 * As the contract asks of a storage, a creation of the bytes that stand there already was this client's own.
 */
import { LsmtError } from '../../errors.ts'
import type { Random } from '../../runtime/random.ts'
import { concatenated } from '../memory-disk.ts'
import type { MemoryDisk, MemoryFile } from '../memory-disk.ts'
import { createMemoryStorage } from '../memory-storage.ts'
import type { Storage } from '../storage.ts'

export interface BucketRequest {
  readonly client: string
  readonly kind: 'createIfAbsent' | 'create' | 'open' | 'read' | 'list' | 'delete'
  readonly name: string
}

/** Of a hundred creations. */
export interface BucketFaults {
  /** Whose outcome is not told. */
  readonly unknown: number
  /** That come a second time, some requests later. */
  readonly repeated: number
}

export interface SharedBucketOptions {
  readonly random: Random
  /** Awaited before a request takes effect, and, with the same object, between its effect and its answer. */
  readonly pause: (request: BucketRequest, moment: 'before' | 'after') => Promise<void>
}

export interface SharedBucket {
  readonly disk: MemoryDisk
  /** Asked for each creation, so that they may change. */
  faults: BucketFaults
  client(name: string): Storage
  /** What is still under way takes effect. */
  arrive(): void
}

interface BucketState {
  readonly options: SharedBucketOptions
  readonly disk: MemoryDisk
  faults: BucketFaults
  late: { readonly name: string; readonly file: MemoryFile }[]
}

const lateArrivalsIn100 = 10

export function createSharedBucket(options: SharedBucketOptions): SharedBucket {
  const state: BucketState = { options, disk: new Map(), faults: { unknown: 0, repeated: 0 }, late: [] }
  return {
    disk: state.disk,
    get faults() { return state.faults },
    set faults(faults) { state.faults = faults },
    client: (name) => createClient(state, name),
    arrive() {
      for (const { name, file } of state.late.splice(0)) put(state, name, file)
    },
  }
}

function createClient(state: BucketState, client: string): Storage {
  const { disk, options: { pause } } = state
  const memory = createMemoryStorage({ disk, appends: false, syncReads: false })
  const request = async <T>(kind: BucketRequest['kind'], name: string, act: () => Promise<T>): Promise<T> => {
    const asked: BucketRequest = { client, kind, name }
    await pause(asked, 'before')
    oneArrives(state)
    try {
      return await act()
    } finally {
      await pause(asked, 'after')
    }
  }
  return {
    ...memory,
    description: `bucket of ${client}`,
    createIfAbsent: (name, parts) => request('createIfAbsent', name, async () => {
      memory.counts.creates++
      return await create(state, name, concatenated(parts))
    }),
    create: async (name) => {
      const writer = await memory.create(name)
      return { ...writer, publish: () => request('create', name, () => writer.publish()) }
    },
    open: (name, byteLength) => request('open', name, () => memory.open(name, byteLength)),
    read: (name) => request('read', name, () => memory.read(name)),
    list: (prefix) => request('list', prefix, () => memory.list(prefix)),
    delete: (name) => request('delete', name, () => memory.delete(name)),
  }
}

async function create(state: BucketState, name: string, file: MemoryFile): Promise<'created' | 'exists'> {
  const { faults: { unknown, repeated }, options: { random }, late } = state
  if (random.below(100) < repeated) late.push({ name, file })
  if (random.below(100) >= unknown) return put(state, name, file)
  switch (random.below(3)) {
    case 0:
      put(state, name, file)
      break
    case 1:
      late.push({ name, file })
      break
    default:
  }
  throw new LsmtError('40003', `it is not known whether ${name} was created: the connection broke`, { file: name })
}

function put({ disk }: BucketState, name: string, file: MemoryFile): 'created' | 'exists' {
  const before = disk.get(name)
  if (before !== undefined) return bytesOf(before).equals(bytesOf(file)) ? 'created' : 'exists'
  disk.set(name, file)
  return 'created'
}

const bytesOf = ({ room, byteLength }: MemoryFile): Buffer => Buffer.from(room.buffer, room.byteOffset, byteLength)

function oneArrives(state: BucketState): void {
  const { late, options: { random } } = state
  if (late.length === 0 || random.below(100) >= lateArrivalsIn100) return
  const [arrived] = late.splice(random.below(late.length), 1)
  put(state, arrived!.name, arrived!.file)
}
