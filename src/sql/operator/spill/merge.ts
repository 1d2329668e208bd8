/** Sorted sources merged into one order by a tree of losers (Knuth, volume 3, 5.4.1): one comparison a level and row. */
import type { EngineRow } from '../../../engine/engine.ts'
import { batchRows } from '../query-run.ts'
import type { Batch } from '../query-run.ts'

export type CompareRows = (a: EngineRow, b: EngineRow) => number

/** Rows that are equal come in the order of their sources. */
export async function* merged(sources: readonly AsyncIterable<Batch>[], compare: CompareRows): AsyncGenerator<Batch> {
  const cursors = sources.map((source): Cursor => ({ rows: [], at: 0, rest: source[Symbol.asyncIterator]() }))
  try {
    for (const cursor of cursors) await refill(cursor)
    const tree = newTree(cursors, compare)
    let batch: EngineRow[] = []
    for (let winner = tree.winner(); winner !== undefined; winner = tree.winner()) {
      batch.push(winner.rows[winner.at]!)
      if (++winner.at === winner.rows.length) await refill(winner)
      tree.replay()
      if (batch.length < batchRows) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  } finally {
    for (const { rest } of cursors) await rest.return?.()
  }
}

interface Cursor {
  rows: Batch
  at: number
  readonly rest: AsyncIterator<Batch>
}

/** Without rows after it, the source is at its end. */
async function refill(cursor: Cursor): Promise<void> {
  cursor.at = 0
  do {
    const { done, value } = await cursor.rest.next()
    cursor.rows = done === true ? [] : value
    if (done === true) return
  } while (cursor.rows.length === 0)
}

interface LoserTree {
  /** The source of the least row; undefined when all are at their ends. */
  winner(): Cursor | undefined
  /** To be called when the winner has moved on. */
  replay(): void
}

function newTree(cursors: readonly Cursor[], compare: CompareRows): LoserTree {
  const count = cursors.length
  /** At 0 the winner, then the losers of each match; -1: not played yet. Source i enters at node (i + count) / 2. */
  const nodes = new Int32Array(Math.max(count, 1)).fill(-1)
  const beats = (a: number, b: number): boolean => {
    const [x, y] = [cursors[a]!, cursors[b]!]
    const [rowX, rowY] = [x.rows[x.at], y.rows[y.at]]
    if (rowX === undefined || rowY === undefined) return rowY === undefined && rowX !== undefined
    const order = compare(rowX, rowY)
    return order < 0 || (order === 0 && a < b)
  }
  const play = (source: number): void => {
    let winner = source
    for (let node = (source + count) >> 1; node > 0; node >>= 1) {
      const other = nodes[node]!
      if (other < 0) {
        nodes[node] = winner
        return
      }
      if (!beats(other, winner)) continue
      nodes[node] = winner
      winner = other
    }
    nodes[0] = winner
  }
  for (let source = 0; source < count; source++) play(source)
  return {
    winner() {
      const cursor = cursors[nodes[0]!]
      return cursor === undefined || cursor.at >= cursor.rows.length ? undefined : cursor
    },
    replay: () => play(nodes[0]!),
  }
}
