/* The record of a table's runs, and of what is told of each file, as src/kernel/column.ts draws them. */
export const RUNS_HEAD_BYTES: usize = 32
export const RUNS_MEMTABLE_BYTES: usize = 8
export const RUNS_RUN_BYTES: usize = 32

/** As of which a memtable is read whose rows are all seen. */
export const SEQUENCE_MAX: f64 = 9007199254740991

const FILE_HEAD_BYTES: usize = 56
const GROUP_BYTES: usize = 20

/** What is told of a row group of a file. */
export function groupAt(file: usize, rowGroup: u32): usize {
  return file + FILE_HEAD_BYTES + <usize>rowGroup * ((GROUP_BYTES + (<usize>load<u32>(file, 36) << 2) + 7) & ~7)
}

/** A row group's chunk of a column; 0: none is told, or the file has no such column. */
export function chunkOf(file: usize, group: usize, ordinal: u32): usize {
  return ordinal < load<u32>(file, 36) ? <usize>load<u32>(group + GROUP_BYTES + (<usize>ordinal << 2)) : 0
}
