/**
 * Which side of a join is held. Nobody knows how many rows will come, so both are looked into: when the left side is at
 * its end where the right one has many more, the left one is held and the right one streams by.
 */
import type { Batch, QueryRun, Stream } from './query-run.ts'
import { rowBytes } from './spill/query-memory.ts'
import type { MemoryShare } from './spill/query-memory.ts'

/** A right side of at most so many rows is held as it is. */
const rightRowsLooked = 16_384
const leftRowsLooked = rightRowsLooked / 2
/** Part of the query's memory that the rows looked at may take; they are counted until the join is over. */
const memoryPart = 1 / 16

export interface Sides {
  readonly left: Stream
  readonly right: Stream
  readonly isLeftSmaller: boolean
}

/** The rows of `work` over the sides, each of which may be asked for once. */
export async function* overSides(left: Stream, right: Stream, run: QueryRun, share: MemoryShare, work: (sides: Sides) => AsyncIterable<Batch>): AsyncGenerator<Batch> {
  const before = share.usedBytes
  const bytesMax = run.memory.bytesMax * memoryPart
  const looks = { right: startLook(right), left: startLook(left) }
  try {
    await look(looks.right, rightRowsLooked, bytesMax, share)
    if (!looks.right.isOver) await look(looks.left, leftRowsLooked, bytesMax - looks.right.bytes, share)
    yield* work({ left: () => all(looks.left), right: () => all(looks.right), isLeftSmaller: looks.left.isOver && looks.right.rowCount > 2 * looks.left.rowCount })
  } finally {
    await looks.left.rest.return?.()
    await looks.right.rest.return?.()
    share.give(share.usedBytes - before)
  }
}

interface Look {
  batches: Batch[]
  rowCount: number
  bytes: number
  isOver: boolean
  readonly rest: AsyncIterator<Batch>
}

function startLook(stream: Stream): Look {
  return { batches: [], rowCount: 0, bytes: 0, isOver: false, rest: stream()[Symbol.asyncIterator]() }
}

/** Takes rows until there are more than `rowsMax`, or until they do not fit into memory. */
async function look(side: Look, rowsMax: number, bytesMax: number, share: MemoryShare): Promise<void> {
  while (side.rowCount <= rowsMax) {
    const { done, value } = await side.rest.next()
    if (done === true) {
      side.isOver = true
      return
    }
    side.batches.push(value)
    side.rowCount += value.length
    const bytes = value.reduce((sum, row) => sum + rowBytes(row), 0)
    if (side.bytes + bytes > bytesMax || !share.take(bytes)) return
    side.bytes += bytes
  }
}

async function* all(side: Look): AsyncGenerator<Batch> {
  yield* side.batches
  side.batches = []
  while (!side.isOver) {
    const { done, value } = await side.rest.next()
    if (done === true) side.isOver = true
    else yield value
  }
}
