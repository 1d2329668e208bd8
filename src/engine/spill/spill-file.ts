/**
 * Rows that a query cannot hold, in a temporary file of the storage. A file holds several runs, whose blocks lie between
 * each other's: few files are open at a time, however many runs there are. Which blocks make up a run is known only in
 * memory, so nothing of a file can be read by another process, or after a crash.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { endReason } from '../../runtime/end-signal.ts'
import type { Storage, TemporaryFile } from '../../storage/storage.ts'
import type { EngineRow, SpilledRun, SpillFile, SpillStats, SpillUse } from '../engine.ts'
import { blockBytesMax, readBlock, rowBytesMax, writeBlock } from './row-block.ts'

export type CreateTemporary = Storage['createTemporary']

interface Block {
  readonly byteOffset: number
  readonly byteLength: number
}

interface OpenSpill {
  readonly kernel: Kernel
  readonly use: SpillUse
  readonly stats: SpillStats | undefined
  readonly file: () => Promise<TemporaryFile>
  byteLength: number
}

export function createSpillFile(createTemporary: CreateTemporary, kernel: Kernel, use: SpillUse, stats?: SpillStats): SpillFile {
  let created: Promise<TemporaryFile> | undefined
  let isDiscarded = false
  const open: OpenSpill = {
    kernel, use, stats, byteLength: 0,
    file: () => {
      if (isDiscarded) throw new LsmtError('55000', 'the spilled rows were discarded')
      return (created ??= createTemporary())
    },
  }
  return {
    newRun: () => createRun(open),
    async discard() {
      if (isDiscarded) return
      isDiscarded = true
      use.bytesHeld -= open.byteLength
      // Without a file there is nothing to discard; why it could not be made was said to whoever wrote.
      const file = await created?.catch(() => undefined)
      await file?.discard()
    },
  }
}

function createRun(open: OpenSpill): SpilledRun {
  const blocks: Block[] = []
  let rowCount = 0
  return {
    get rowCount() {
      return rowCount
    },
    get blockCount() {
      return blocks.length
    },
    async append(rows) {
      for (const block of cut(rows, open.use.blockBytes)) {
        blocks.push(await appendBlock(open, block))
        rowCount += block.length
      }
    },
    async *read(from = 0) {
      for (let at = from; at < blocks.length; at++) yield await fetchBlock(open, blocks[at]!)
    },
  }
}

/** Rows in pieces that take about as many bytes as a block has. */
function* cut(rows: readonly EngineRow[], blockBytes: number): Generator<readonly EngineRow[]> {
  let from = 0
  let bytes = 0
  for (let i = 0; i < rows.length; i++) {
    bytes += rowBytesMax(rows[i]!)
    if (bytes < blockBytes) continue
    yield rows.slice(from, i + 1)
    from = i + 1
    bytes = 0
  }
  if (from < rows.length) yield rows.slice(from)
}

async function appendBlock(open: OpenSpill, rows: readonly EngineRow[]): Promise<Block> {
  const { kernel, use } = open
  if (use.signal?.aborted === true) throw endReason(use.signal)
  const file = await open.file().catch((cause: unknown) => { throw fullDisk(cause) })
  const at = kernel.heap.allocate(blockBytesMax(rows))
  try {
    const byteLength = writeBlock(kernel, at, rows)
    if (use.bytesHeld + byteLength > use.bytesMax) throw new LsmtError('53200', `the query needs more than ${use.bytesMax} bytes of temporary files`, { hint: 'narrow it by WHERE, or raise querySpillBytesMax' })
    const byteOffset = open.byteLength
    open.byteLength += byteLength
    use.bytesHeld += byteLength
    await file.append(kernel.memory.u8.subarray(at, at + byteLength)).catch((cause: unknown) => { throw fullDisk(cause) })
    if (open.stats !== undefined) open.stats.spilledBytes += byteLength
    return { byteOffset, byteLength }
  } finally {
    kernel.heap.free(at)
  }
}

async function fetchBlock(open: OpenSpill, { byteOffset, byteLength }: Block): Promise<readonly EngineRow[]> {
  const { kernel, use } = open
  if (use.signal?.aborted === true) throw endReason(use.signal)
  const file = await open.file()
  const at = kernel.heap.allocate(byteLength)
  try {
    await file.read(kernel.memory.u8.subarray(at, at + byteLength), byteOffset)
    return readBlock(kernel, at, byteLength, file.name, byteOffset)
  } finally {
    kernel.heap.free(at)
  }
}

/** A disk without room for a query is no fault of the database: reads and writes that need less go on. */
function fullDisk(cause: unknown): unknown {
  if (!(cause instanceof LsmtError) || cause.code !== '53100') return cause
  return new LsmtError('53100', `the disk has no room for the rows that the query cannot hold in memory: ${cause.message}`, { ...cause.evidence, hint: 'free some disk space, narrow the query by WHERE, or raise queryMemoryBytesMax' }, cause)
}
