/**
 * Reads of a range of keys: by column, as few or as many rows at once as the caller wants, in the caller's step where they
 * are in memory. Scans by row are made of these.
 */
import { LsmtError } from '../../errors.ts'
import type { EngineScan, EngineValue } from '../engine.ts'
import type { EngineWalk, RowColumns } from '../engine-walk.ts'
import type { UserValue } from '../user-value.ts'
import { checkOptions, described } from './given.ts'
import { keyBounds, ordinalsOf, rangeNames } from './kv-codec.ts'
import type { Codec } from './kv-codec.ts'
import type { KeyedEngine, KeyScanOptions } from './keyed-engine.ts'
import { ReadSnapshot } from './read-snapshot.ts'

export type ReadColumns = RowColumns<UserValue>

export interface KeyCursor {
  /**
   * The next rows in key order, at most `rowsMax`, never none; undefined at the end. At once where they are in memory, but that a
   * long read gives timers and sockets their turn now and then. To be called again only when the call before has ended.
   */
  next(rowsMax?: number): ReadColumns | undefined | Promise<ReadColumns | undefined>
  /** Lets go of what is read; safe to call again. What has to be waited for until all is let go of; undefined: nothing. */
  close(): Promise<void> | undefined
}

const scanOptionNames = ['columns', 'snapshot', ...rangeNames, 'reverse', 'limit', 'asText', 'signal']
const rowsAtOnceMax = 1024

/** Of the state of this moment, or of the snapshot of the options. Closes itself at the end, and when it fails. */
export function openKeyCursor(engine: KeyedEngine, codec: Codec, options: KeyScanOptions): KeyCursor {
  const scan = engineScan(codec, options)
  const snapshot = options.snapshot ?? new ReadSnapshot(engine)
  const below = ReadSnapshot.beginRead(snapshot, engine)
  if (options.snapshot === undefined) snapshot.release()
  try {
    const walk = engine.walk?.(below, scan)
    const source = walk === undefined ? scanSource(engine.scan(below, scan)) : walkSource(walk)
    return keyCursor(codec, scan, source, () => ReadSnapshot.endRead(snapshot))
  } catch (error) {
    ReadSnapshot.endRead(snapshot)
    throw error
  }
}

function engineScan(codec: Codec, options: KeyScanOptions): EngineScan {
  checkOptions(options, scanOptionNames, 'the options of a scan')
  const { reverse = false, limit, asText, signal } = options
  if (limit !== undefined && !(typeof limit === 'number' && limit >= 0)) throw new LsmtError('22023', `the limit of a scan is a number from 0 on; it was given as ${described(limit)}`)
  const scan: { -readonly [Name in keyof EngineScan]: EngineScan[Name] } = { table: codec.table, ordered: true, columns: ordinalsOf(codec, options.columns), predicate: [], reverse }
  const { lower, upper } = keyBounds(codec, options)
  // Each spread of an object would take longer than all of this.
  if (lower !== undefined) scan.lower = lower
  if (upper !== undefined) scan.upper = upper
  if (limit !== undefined) scan.limit = limit
  if (asText !== undefined) scan.asText = new Set(ordinalsOf(codec, asText))
  if (signal !== undefined) scan.signal = signal
  return scan
}

interface Source {
  next(rowsMax: number): RowColumns<EngineValue> | undefined | Promise<RowColumns<EngineValue> | undefined>
  close(): Promise<void> | undefined
}

function walkSource({ next, close }: EngineWalk<EngineValue>): Source {
  return {
    next,
    close() {
      close()
      return undefined
    },
  }
}

/** What a scan gives in batches, given on as it is asked for. */
function scanSource(batches: AsyncIterable<readonly (readonly EngineValue[])[]>): Source {
  const iterator = batches[Symbol.asyncIterator]()
  let rows: readonly (readonly EngineValue[])[] = [], position = 0
  return {
    async next(rowsMax) {
      while (position === rows.length) {
        const { done, value } = await iterator.next()
        if (done === true) return undefined
        rows = value
        position = 0
      }
      const taken = rows.slice(position, position + rowsMax)
      position += taken.length
      return { rowCount: taken.length, columns: taken[0]!.map((_, i) => taken.map((row) => row[i]!)) }
    },
    close: async () => void (await iterator.return?.()),
  }
}

function keyCursor(codec: Codec, { columns, limit = Number.POSITIVE_INFINITY }: EngineScan, source: Source, release: () => void): KeyCursor {
  const toUser = columns.map((ordinal) => codec.toUserColumn[ordinal]!)
  let left = Math.ceil(limit), isEnded = false
  function end(): Promise<void> | undefined {
    if (isEnded) return undefined
    isEnded = true
    const closing = source.close()
    if (closing !== undefined) return closing.finally(release)
    release()
    return undefined
  }
  const show = (rows: RowColumns<EngineValue> | undefined): ReadColumns | undefined | Promise<undefined> => {
    if (rows === undefined) return end()?.then(() => undefined)
    left -= rows.rowCount
    return { rowCount: rows.rowCount, columns: rows.columns.map((values, i) => toUser[i]!(values)) }
  }
  const fail = async (error: unknown): Promise<never> => {
    await end()
    throw error
  }
  return {
    next(rowsMax = rowsAtOnceMax) {
      if (isEnded) return undefined
      if (left <= 0) return show(undefined)
      try {
        const rows = source.next(Math.min(rowsMax, left, rowsAtOnceMax))
        return rows instanceof Promise ? rows.then(show).catch(fail) : show(rows)
      } catch (error) {
        void end()
        throw error
      }
    },
    close: end,
  }
}
