// The memtable kernel: see src/kernel/skiplist.ts for the contract and skiplist/layout.ts for the structure.
export {
  skiplistAddSegment, skiplistApply, skiplistCreate, skiplistEntryCount, skiplistRangeAt, skiplistRangeCount, skiplistUsedBytes,
} from './skiplist/table'
export { skiplistGet, skiplistRead, skiplistSeek } from './skiplist/read'
