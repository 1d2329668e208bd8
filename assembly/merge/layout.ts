/* The records of a merge of lanes, as src/kernel/merge.ts draws them. */
export const WALK_PARTS: usize = 0
export const WALK_PART_COUNT: usize = 4
export const WALK_LANES: usize = 8
export const WALK_RUNS: usize = 12
export const WALK_WINNERS: usize = 16
export const WALK_LIMIT: usize = 20
export const WALK_CAPACITY: usize = 24
export const WALK_KEY_KIND: usize = 28
export const WALK_LOWER: usize = 32
export const WALK_UPPER: usize = 40
export const WALK_HAS_UPPER: usize = 48
export const WALK_COLUMNS: usize = 52
export const WALK_COLUMN_COUNT: usize = 56
export const WALK_ROW_LAYOUT: usize = 60
export const WALK_WORK: usize = 64
export const WALK_ROWS: usize = 68
export const WALK_HAS_LANES: usize = 72
export const WALK_LANE_COUNT: usize = 76
export const WALK_WRITTEN: usize = 80
export const WALK_IS_END: usize = 84
export const WALK_ASKED_PART: usize = 88
export const WALK_ASKED_FILE: usize = 92
export const WALK_ASKED: usize = 96
export const WALK_ASKED_LANE: usize = 100
/** Text of a key with whose beginning all rows that were brought begin, and so many bytes of it. */
export const WALK_REFERENCE: usize = 104
export const WALK_SHARED: usize = 108

export const PART_SEQUENCE: usize = 0
export const PART_RUNS: usize = 8
export const PART_BYTES: usize = 16

export const LANE_SEQUENCE: usize = 0
/** Handle of a memtable; what is told of a file. */
export const LANE_SOURCE: usize = 8
export const LANE_KIND: usize = 12
export const LANE_ROWS: usize = 16
export const LANE_STATE: usize = 20
export const LANE_ROW_GROUP: usize = 24
/** Of a memtable that is placed, instead. */
export const LANE_LEAF: usize = 24
export const LANE_NEXT: usize = 28
export const LANE_TO: usize = 32
export const LANE_PASSED: usize = 36
export const LANE_PAGE_ROWS: usize = 40
export const LANE_PART: usize = 44
/** Of a file, its run, and which of it. */
export const LANE_RUN: usize = 48
export const LANE_FILE: usize = 52
export const LANE_ENTRIES: usize = 56
export const LANE_BYTES: usize = 64

export const KIND_MEMTABLE: u32 = 0
export const KIND_FILE: u32 = 1

export const STATE_NEW: u32 = 0
export const STATE_OPEN: u32 = 1
export const STATE_OVER: u32 = 2
/** On the way to be open: the row group, or the leaf, is known; and its first row is searched for. */
export const STATE_PLACED: u32 = 3
export const STATE_SEARCHED: u32 = 4

export const COLUMN_ORDINAL: usize = 0
export const COLUMN_VALUE_INDEX: usize = 4
export const COLUMN_KIND: usize = 8
export const COLUMN_VALUES: usize = 12
export const COLUMN_NULLS: usize = 16
export const COLUMN_HAS_NULLS: usize = 20
export const COLUMN_BYTES: usize = 24

export const RUN_BYTES: usize = 32

export const KIND_I64: u32 = 1
export const KIND_F64: u32 = 2

export const TABLE_ID_BYTES: u32 = 4
