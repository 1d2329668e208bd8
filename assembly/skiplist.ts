// The memtable kernel; the contract is src/kernel/skiplist.ts, the layout skiplist/layout.ts.
//
// Keys stand in sorted blocks of up to 64 entries, linked in levels: an entry above stands over one block below, as the
// towers of a skiplist stand over its nodes (the deterministic skiplist of Munro, Papadakis, Sedgewick 1992, blocked).
// A block keeps 8 key bytes of each entry side by side, taken from behind what its keys are known to share, so that a
// search reads a few neighbouring lines a level and follows a key only where those 8 bytes tie. Beside it a hash table
// finds exact keys: for gets, and for puts to learn whether the key is there. In a table that has grown, keys that come in
// no order wait for their place in the blocks, so that many go there together (skiplist/order.ts): of 640,000 keys at random
// in eight tables a put takes 390-550 ns for what is left instead of 700-900 (in turn, on two cores with ten times as much to do).
//
// Why so (ns an operation, 20-byte keys, 100-byte rows, batches of 1,000 with their copy into linear memory; two noisy
// cores, variants in turn; 100,000 keys are about one full memtable):
//
//   keys                              100,000   1,000,000
//   random put / get                256-270/145   526-605/315
//   sequential put                      110         165
//   digits that share a prefix, put     285         590
//   forward scan, random / sequential  16/9        60/23
//   get through the levels alone      332-364     836-943   (in the same rounds through the index: 167, 395-440)
//   blocks of 32 instead of 64, put   283-299     610-633   (64: 269-272, 547-605)
//
// Without effect, and so left out: blocks at multiples of 64 bytes, touching all index slots of a batch beforehand.
// With effect: a probe limit far above any natural cluster (at 64 probes some keys of a large table stayed outside the
// index, and every miss then searched the levels: 870 ns instead of 526), and edge blocks that skip what all keys share
// (digit keys 343 -> 285 at 100,000); writing the keys of a leaf before a version is looked at, so that nodes are waited
// for together (scan of random keys 64 -> 33 at 100,000). A get is its misses: plain loads of slot, node, version and row,
// each address known by the load before, take 225-256 of its 265 ns, and 17 where thousands do not wait for each other.
export {
  skiplistAddSegment, skiplistApply, skiplistCreate, skiplistEntryCount, skiplistOrder, skiplistRangeAt, skiplistRangeCount, skiplistUsedBytes,
} from './skiplist/table'
export { skiplistGet, skiplistHasKeys, skiplistRead, skiplistSeek } from './skiplist/read'
export { skiplistReadSince } from './skiplist/recent'
