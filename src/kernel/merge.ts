/** K-way merge of sorted key vectors, newest run first; the core of compaction and of scans over overlapping runs. */
import type { Pointer } from './linear-memory.ts'

/** Bytes of the records of `mergeLanes`. */
export const walkBytes = 112, walkPartBytes = 16, laneBytes = 64, laneRunBytes = 32, laneColumnBytes = 24

export const laneKinds = { memtable: 0, file: 1 } as const

/** Why `mergeLanes` stands still: what is to be given before it is called again; `refused`: something cannot be read so. */
export const laneAsks = { rowGroup: -1, scratch: -2, refused: -3, file: -5 } as const

/** Of a column of a lane with room for `capacity` rows, and of all that it brings. */
const columnRowsBytes = (capacity: number): number => 8 * capacity + capacity / 8 + 16
const laneHeadBytes = (capacity: number): number => 24 * capacity + 32
export const laneRowsBytes = (capacity: number, columnCount: number): number => laneHeadBytes(capacity) + columnCount * columnRowsBytes(capacity)

/** Where, from its rows on, a lane has the address of the scratch of a column. */
export const laneScratchOffset = (capacity: number, column: number): number => laneHeadBytes(capacity) + (column + 1) * columnRowsBytes(capacity) - 8

export interface MergeExports {
  /**
   * `runs` is an array of 32-byte records: u32 keys address (refs or i64 values), u32 position, u32 end, u32 flags (bit 0
   * final; bit 1 descending, the same for all runs), then 16 bytes that belong to the kernel. Runs are ordered newest first. Writes winners as u32 pairs (run, row) at `out`: for each distinct key, in
   * ascending (or descending) order, the row of the newest run that has it; the rows it hides are passed over. Stops when `limit`
   * winners are written or when a run that is not flagged final is exhausted, since its next page may
   * hold smaller keys than the others. Positions in `runs` are advanced. Returns how many were written.
   * Keys within one run are strictly ascending (or descending).
   */
  mergeRefs(runs: Pointer, runCount: number, out: Pointer, limit: number): number
  mergeI64(runs: Pointer, runCount: number, out: Pointer, limit: number): number
  /**
   * Takes out of `selection` the rows whose keys a newer run has. `older` are the keys of `count` rows, `run` is a record as above
   * without its flags; both ascend. The run's position moves on to its end, to its first key above all of `older`, or to where no row
   * is left that it could hide. Returns how many rows were taken out that were selected.
   */
  mergeHideRefs(run: Pointer, older: Pointer, count: number, selection: Pointer): number
  mergeHideI64(run: Pointer, older: Pointer, count: number, selection: Pointer): number
  /** Gathers 8-byte elements (values or refs): element i is sources[run_i][row_i]; `sources` is u32 addresses by run. */
  mergeGather8(winners: Pointer, count: number, sources: Pointer, out: Pointer): void
  /** Gathers null bits: `sources` are bitmap addresses by run (0 = no nulls); returns 1 if any is set. */
  mergeGatherBits(winners: Pointer, count: number, sources: Pointer, out: Pointer): number

  /**
   * The first rows of a range, out of runs that it searches, reads and merges itself: of several parts, each a table's memtables and files as
   * `columnGetNewest` draws the record of its runs. `walk` is this record, of u32:
   * ```
   *  0 parts │ how many │ room for lanes, one for each memtable and run │ for as many records as above
   * 16 winners: 8 bytes a row wanted │ rows wanted │ room of a lane for rows, a multiple of 64 │ kind of the keys: 1 i64, 3 bytes
   * 32 lower bound and its bytes │ upper bound and its bytes: as memtables have keys, with the table id
   * 48 1: files have an upper bound │ columns │ how many │ row layout (src/kernel/row.ts)
   * 64 work: 4 bytes a lane, 8 at least │ rows of lanes: `laneRowsBytes` each │ 0: lanes are to be made │ how many there are
   * 80 rows found │ 1: no row follows │ which part asks │ of which file, by its number
   * 96 for what │ of which lane │ 8 bytes that belong to the kernel
   * part:   f64 sequence │ u32 record of its runs │ pad 8
   * lane:   f64 sequence of a memtable │ u32 its handle; of a file what is told of it │ `laneKinds` │ its rows │ its state │ row group │ 40 bytes that belong to the kernel
   * column: u32 ordinal │ i32 index in rows as memtables have them, -1: the keys │ kind │ out: values │ null bits │ 1: there is a null │ zeros
   * ```
   * Gives how many rows were found, their columns gathered as `mergeGather8` does; fewer than wanted at the end, and where a lane has no more room.
   * Negative: one of `laneAsks`, to be called again once the file or the row group was told of, or the scratch that the chunk of the column (by its index)
   * needs is given at `laneScratchOffset` of the lane's rows. Where there are range tombstones it refuses.
   */
  mergeLanes(walk: Pointer): number
}
