// The memtable's layout in its arena. Nothing else holds state: any instance over the same memory can read it, and
// src/kernel/js/skiplist/layout.ts must say the same. Little-endian, everything at multiples of 8; address 0 = none.
//
// Table (the handle), at the start of the first segment:
export const TABLE_FIRST_SEGMENT: usize = 0
export const TABLE_CURRENT_SEGMENT: usize = 4
/** Top block; `levels` lists of blocks, level 0 = the leaves. */
export const TABLE_ROOT: usize = 8
export const TABLE_LEVELS: usize = 12
export const TABLE_FIRST_LEAF: usize = 16
export const TABLE_LAST_LEAF: usize = 20
/** Node of the greatest key. */
export const TABLE_MAX_NODE: usize = 24
/** Changes whenever an entry moves: cursors that see another stamp find their place again by key. */
export const TABLE_STAMP: usize = 28
export const TABLE_INDEX: usize = 32
export const TABLE_INDEX_SLOTS: usize = 36
export const TABLE_KEYS: usize = 40
/** Keys that found no slot near their hash: while there are any, a miss in the index says nothing. */
export const TABLE_UNINDEXED: usize = 44
export const TABLE_RANGES: usize = 48
export const TABLE_RANGE_COUNT: usize = 52
export const TABLE_RANGE_CAPACITY: usize = 56
/** Leading bytes that all keys share. */
export const TABLE_SHARED: usize = 60
/** f64 each: versions, bytes taken from segments and still in use, least and greatest sequence of any operation. */
export const TABLE_ENTRIES: usize = 64
export const TABLE_USED_BYTES: usize = 72
export const TABLE_MIN_SEQUENCE: usize = 80
export const TABLE_MAX_SEQUENCE: usize = 88
/** u32 by level: how many blocks. */
export const TABLE_LEVEL_BLOCKS: usize = 96
/** The writer's way down: u32 pairs (block, index) by level. */
export const TABLE_PATH: usize = 160
/** The version that was applied last. */
export const TABLE_LAST_VERSION: usize = 288
/** The first entry, by its leaf (0 = none) and its place there, from which on keys are not entered in the index yet. */
export const TABLE_LATE_LEAF: usize = 292
export const TABLE_LATE_ENTRY: usize = 296
/** Keys that are in the index and wait for their place in the leaves: the list (0 = none yet) and how many. */
export const TABLE_WAITING: usize = 300
export const TABLE_WAITING_COUNT: usize = 304
/** Leaves with more than `LEAF_ROOMY_MAX` entries: those that few more keys would cut. */
export const TABLE_FULL_LEAVES: usize = 308
export const TABLE_BYTES: usize = 312
export const LEVELS_MAX: u32 = 16

// Segment: 16 bytes, then allocations.
export const SEGMENT_NEXT: usize = 0
export const SEGMENT_FREE: usize = 4
export const SEGMENT_END: usize = 8
export const SEGMENT_HEADER_BYTES: usize = 16

// Block: a header, then `prefixes` (u64 each, the 8 key bytes from `skip` on as a big-endian number, zeros past the
// key's end), `nodes` (u32) and, above the leaves, `children` (u32: blocks of the level below). An entry above the
// leaves stands for one block below; its node is that block's low key.
export const BLOCK_COUNT: usize = 0
/**
 * Leading key bytes that all keys between the block's low key and the next block's low key share; in the first and the
 * last block of a level, which have no such bounds, those that all keys of the table share.
 */
export const BLOCK_SKIP: usize = 4
export const BLOCK_NEXT: usize = 8
export const BLOCK_PREVIOUS: usize = 12
/** Node of the key from which on keys belong here; 0 in the first block of a level, which takes all smaller ones. */
export const BLOCK_LOW: usize = 16
export const BLOCK_PREFIXES: usize = 32
export const BLOCK_ENTRIES_MAX: u32 = 64
export const LEAF_ROOMY_MAX: u32 = 56
export const BLOCK_NODES: usize = 32 + 8 * 64
export const BLOCK_CHILDREN: usize = 32 + 12 * 64
export const LEAF_BYTES: usize = 32 + 12 * 64
export const UPPER_BYTES: usize = 32 + 16 * 64

// Node: one key. The first version of a key follows its node.
export const NODE_NEWEST: usize = 0
export const NODE_KEY_BYTES: usize = 4
export const NODE_KEY: usize = 8

// Version: value bytes 0 = a tombstone. Versions of all keys are linked by when they were applied, the last one first.
export const VERSION_SEQUENCE: usize = 0
export const VERSION_OLDER: usize = 8
export const VERSION_VALUE_BYTES: usize = 12
export const VERSION_APPLIED_BEFORE: usize = 16
export const VERSION_NODE: usize = 20
export const VERSION_VALUE: usize = 24

// Range tombstone: start address and bytes, end address and bytes (0 bytes = no end), f64 sequence.
export const RANGE_START: usize = 0
export const RANGE_START_BYTES: usize = 4
export const RANGE_END: usize = 8
export const RANGE_END_BYTES: usize = 12
export const RANGE_SEQUENCE: usize = 16
export const RANGE_BYTES: usize = 24

// Index: open addressing with linear probing; a slot is the key's u32 hash and its node (0 = empty).
export const SLOT_NODE: usize = 4
export const SLOT_BYTES: usize = 8
export const INDEX_SLOTS_MIN: u32 = 256
export const INDEX_PROBES_MAX: u32 = 512
export const INDEX_EQUALS_MAX: u32 = 8

// Waiting keys: entries of a u64 prefix (written when they are sorted) and a u64 node, as many once more to sort them into,
// and 256 counts. A table has the list from so many keys on.
export const WAITING_MAX: u32 = 4096
export const WAITING_ENTRY_BYTES: usize = 16
export const WAITING_SORTED: usize = 4096 * 16
export const WAITING_COUNTS: usize = 2 * 4096 * 16
export const WAITING_BYTES: usize = 2 * 4096 * 16 + 1024
/** Fewer are entered as they came: they would hardly share a block, and between reads in order sorting two takes as long as entering both. */
export const WAITING_SORTED_MIN: usize = 128
export const LATE_KEYS_MIN: u64 = 8192

// Cursor: the next entry to read by place (valid while the stamp is the table's) and by node (always valid).
export const CURSOR_LEAF: usize = 0
export const CURSOR_ENTRY: usize = 4
export const CURSOR_NODE: usize = 8
export const CURSOR_BACKWARD: usize = 12
export const CURSOR_STAMP: usize = 16
