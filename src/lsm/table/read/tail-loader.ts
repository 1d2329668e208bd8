/**
 * The tail of one open table file in the cache: read in one request when somebody first needs it, once for all who need
 * it at a time, and evicted like a chunk when nobody holds it and it was not used for long. Its addresses mean something
 * only while it is in memory; after an eviction it is read, and checked, again. Where storage reads synchronously nobody
 * waits for it, and it stays.
 */
import { invariant, LsmtError } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { ObjectReader } from '../../../storage/storage.ts'
import type { CachedFile, ChunkCache, Frame } from '../chunk-cache.ts'
import { countRequest, readCounting } from '../fetch.ts'
import type { ReadStats } from '../fetch.ts'
import type { TableMeta } from '../table.ts'
import type { Tail } from './tail-view.ts'
import { readTail } from './tail.ts'

export interface TailLoaderOptions {
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly meta: TableMeta
  readonly file: string
  readonly object: ObjectReader
  /** Once it was read it is held until the file is closed. */
  readonly stays: boolean
  /** Reads under way. */
  readonly running: Set<Promise<unknown>>
  /** Called with each tail that was read, before anybody holds it. */
  readonly onRead: (tail: Tail) => void
  /** As `CachedFile.onMoved`. */
  readonly onMoved: () => void
}

/** One read for all who asked meanwhile. */
interface Loading {
  holders: number
  outcome: Promise<void>
}

/** A class, since point reads ask it: accessors of object literals would make every file's object a kind of its own. */
export class TailLoader {
  private readonly options: TailLoaderOptions
  private readonly slot: CachedFile
  private known: Tail | undefined
  private loading: Loading | undefined
  private isClosed = false
  /** Of the tail as it was read last; the same as in the slot while it is held. */
  private frame: Frame = 0

  constructor(options: TailLoaderOptions) {
    this.options = options
    this.slot = options.cache.addFile(1, options.onMoved)
  }

  /** As it was read last. Asked for once it was held. */
  get tail(): Tail {
    invariant(this.known !== undefined, 'a tail is used before it was read')
    return this.known
  }

  get isInMemory(): boolean {
    return this.slot.frames[0] !== 0
  }

  /** Keeps it in memory until as many calls of `release`; what must be waited for before it is held. 55000 once the file is closed. */
  hold(stats?: ReadStats): Promise<void> | undefined {
    if (!this.readNow(stats)) return this.holdOnceRead(stats)
    this.options.cache.pin(this.slot, 0)
    return undefined
  }

  /** Whether it is in memory, read at once where storage can be read so. 55000 once the file is closed. */
  readNow(stats?: ReadStats): boolean {
    this.refuseClosed()
    if (this.isInMemory) return true
    const { object, cache } = this.options
    if (object.readSync === undefined) return false
    const { frame, tail } = readInSync(this.options, stats)
    this.adopt(frame, tail)
    cache.unpin(this.frame)
    return true
  }

  /** The same as `hold`, read beside whatever else is done. */
  private holdOnceRead(stats: ReadStats | undefined): Promise<void> | undefined {
    this.refuseClosed()
    const { cache, running } = this.options
    if (cache.pin(this.slot, 0) !== 0) return undefined
    const isFirst = this.loading === undefined
    if (this.loading === undefined) {
      const loading = { holders: 0, outcome: Promise.resolve() }
      this.loading = loading
      loading.outcome = this.load(loading, stats)
      const settled = loading.outcome.then(() => {}, () => {}).then(() => { running.delete(settled) })
      running.add(settled)
    }
    this.loading.holders++
    const { outcome } = this.loading
    // What refuses the request concerns who asked first alone.
    return isFirst ? outcome : outcome.catch((error: unknown) => {
      if (isRefusal(error)) return this.holdOnceRead(stats)
      throw error
    })
  }

  release(): void {
    this.options.cache.unpin(this.frame)
  }

  /** Says that it was used just now. */
  mark(): void {
    this.options.cache.mark(this.frame)
  }

  /** Reads it beside whatever else is done, ahead of need. */
  async read(stats?: ReadStats): Promise<void> {
    if (this.isInMemory) return
    await this.holdOnceRead(stats)
    this.release()
  }

  /** Forgets it. Who holds it keeps its memory until `release`. */
  close(): void {
    const { cache, stays } = this.options
    this.isClosed = true
    if (stays && this.isInMemory) cache.unpin(this.frame)
    cache.removeFile(this.slot)
  }

  private async load(loading: Loading, stats: ReadStats | undefined): Promise<void> {
    const { cache } = this.options
    // Whoever asks in the same step takes part.
    await Promise.resolve()
    try {
      this.refuseClosed()
      const { frame, tail } = await readIn(this.options, stats)
      if (this.isClosed) cache.unpin(frame)
      this.refuseClosed()
      // Somebody who could not wait may have read it meanwhile.
      if (this.isInMemory) {
        cache.unpin(frame)
        cache.pin(this.slot, 0)
      } else this.adopt(frame, tail)
      for (let i = 0; i < loading.holders; i++) cache.pin(this.slot, 0)
      cache.unpin(this.frame)
    } finally {
      this.loading = undefined
    }
  }

  /** Takes over a frame that is pinned once. */
  private adopt(frame: Frame, tail: Tail): void {
    const { cache, stays, onRead } = this.options
    this.frame = cache.publish(this.slot, 0, frame)
    this.known = tail
    if (stays) cache.pin(this.slot, 0)
    onRead(tail)
  }

  private refuseClosed(): void {
    if (this.isClosed) throw closedError(this.options.file)
  }
}

/** Of a request that would be one more than a query may make. */
const isRefusal = (cause: unknown): boolean => cause instanceof LsmtError && cause.code === '54000'

export const closedError = (file: string): LsmtError => new LsmtError('55000', `${file} is closed`, { file })

/** In a frame that is pinned once. */
interface ReadTail {
  readonly frame: Frame
  readonly tail: Tail
}

/** Reads and checks it. */
async function readIn({ kernel, cache, meta, file, object }: TailLoaderOptions, stats: ReadStats | undefined): Promise<ReadTail> {
  const frame = cache.reserve(meta.tailBytes)
  try {
    const address = cache.addressOf(frame)
    await readCounting(object, kernel.memory.u8.subarray(address, address + meta.tailBytes), meta.byteLength - meta.tailBytes, stats)
    return { frame, tail: readTail(kernel, file, meta, address) }
  } catch (error) {
    cache.unpin(frame)
    throw error
  }
}

/** The same where storage reads synchronously. */
function readInSync({ kernel, cache, meta, file, object }: TailLoaderOptions, stats: ReadStats | undefined): ReadTail {
  const frame = cache.reserve(meta.tailBytes)
  try {
    const address = cache.addressOf(frame)
    if (object.readCounted === undefined) countRequest(stats, meta.tailBytes)
    object.readSync!(kernel.memory.u8.subarray(address, address + meta.tailBytes), meta.byteLength - meta.tailBytes)
    return { frame, tail: readTail(kernel, file, meta, address) }
  } catch (error) {
    cache.unpin(frame)
    throw error
  }
}
