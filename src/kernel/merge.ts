/** K-way merge of sorted key vectors, newest run first; the core of compaction and of scans over overlapping runs. */
import type { Pointer } from './linear-memory.ts'

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
}
