/**
 * The runs of one table in one view, newest first, as the record that `columnGetNewest` and `mergeLanes` read: made when a read first meets the
 * view, of a few words a file, and then one kernel call answers a read by key, or gives the first rows of a range, however many memtables and files may have them.
 */
import { runsHeadBytes, runsMax, runsMemtableBytes, runsRunBytes } from '../../../kernel/column.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { RowLayout } from '../../keys/row-layout.ts'
import type { TableFile } from '../../state/version.ts'
import type { View } from '../../state/view.ts'

export class TableRuns {
  readonly view: View
  readonly tableId: number
  readonly shape: RowLayout | undefined
  /** By their numbers in the record. */
  readonly files: readonly TableFile[]
  /** 0: there is no record, since there was no room for it, or since there are more runs than it takes. */
  readonly address: Pointer
  /** Memtables, and runs of files. */
  readonly runCount: number
  /** No file takes a request each time that something is read of it. */
  readonly isNear: boolean
  private readonly kernel: Kernel
  /** Where the records of files are told, in the order of their numbers. */
  private readonly records: Pointer = 0

  /** `counts`: where the kernel counts. */
  constructor(kernel: Kernel, view: View, tableId: number, counts: Pointer) {
    const runs = runsOf(view, tableId), shape = view.shapes.get(tableId)
    this.kernel = kernel
    this.view = view
    this.tableId = tableId
    this.shape = shape
    this.files = runs.flat()
    this.runCount = view.memtables.length + runs.length
    this.isNear = this.files.every(({ reader }) => !reader.isFar)
    this.address = shape === undefined || runs.length > runsMax ? 0 : kernel.heap.tryAllocate(recordBytes(view, shape, runs))
    if (this.address !== 0) this.records = writeRecord(kernel, this.address, { view, shape: shape!, runs, counts })
    for (let file = 0; file < this.files.length; file++) this.noteFile(file)
  }

  /** Notes where what is told of a file is, which may be told since. */
  noteFile(file: number): void {
    if (this.address !== 0) this.kernel.memory.u32[(this.records >>> 2) + file] = this.files[file]!.reader.record
  }

  free(): void {
    if (this.address !== 0) this.kernel.heap.free(this.address)
  }
}

type Runs = readonly (readonly TableFile[])[]

/** Each file of level 0 is one, and each deeper level. */
function runsOf({ version }: View, tableId: number): Runs {
  const [newest = [], ...deeper] = version.tables.get(tableId) ?? []
  return [...newest.map((file) => [file]), ...deeper.filter((files) => files.length > 0)]
}

/** Of its first key: prefix and ref. */
const firstKeyBytes = 16
/** Of a run: the ref of its last key, and its rows. */
const runEndBytes = 16

function recordBytes(view: View, { valueIndexes }: RowLayout, runs: Runs): number {
  const files = runs.flat(), texts = files.reduce((bytes, { meta }) => bytes + meta.minKey.length, 0) + runs.reduce((bytes, run) => bytes + run.at(-1)!.meta.maxKey.length, 0)
  return runsHeadBytes + view.memtables.length * runsMemtableBytes + runs.length * (runsRunBytes + runEndBytes) + files.length * (firstKeyBytes + 4) + valueIndexes.length * 4 + texts
}

interface Parts {
  readonly view: View
  readonly shape: RowLayout
  readonly runs: Runs
  readonly counts: Pointer
}

/** Writes all but the records of files; gives where these are to be. */
function writeRecord(kernel: Kernel, address: Pointer, { view, shape: { layout, descriptor, valueIndexes }, runs, counts }: Parts): Pointer {
  const { u32, i32, view: words } = kernel.memory
  const memtablesAt = address + runsHeadBytes, runsAt = memtablesAt + view.memtables.length * runsMemtableBytes, endsAt = runsAt + runs.length * runsRunBytes, firstKeysAt = endsAt + runs.length * runEndBytes
  const fileCount = runs.reduce((count, files) => count + files.length, 0)
  const recordsAt = firstKeysAt + fileCount * firstKeyBytes, placesAt = recordsAt + fileCount * 4
  u32.set([view.memtables.length, runs.length, 0, descriptor, valueIndexes.length, placesAt, counts, 0], address >>> 2)
  words.setUint32(address + 8, layout.tableId)
  i32.set(valueIndexes, placesAt >>> 2)
  u32.set(view.memtables.flatMap(({ handle, seesAll }) => [handle, seesAll ? 1 : 0]), memtablesAt >>> 2)
  let first = 0, textsAt = placesAt + valueIndexes.length * 4
  runs.forEach((files, i) => {
    const prefixesAt = firstKeysAt + first * firstKeyBytes, refsAt = prefixesAt + 8 * files.length, shared = sharedBytes(files)
    const endAt = endsAt + i * runEndBytes
    u32.set([files.length, shared, prefixesAt, refsAt, textsAt, recordsAt + 4 * first, first, endAt], (runsAt + i * runsRunBytes) >>> 2)
    const firstKeysBytes = writeFirstKeys(kernel, files, shared, { prefixesAt, refsAt, textsAt })
    textsAt += firstKeysBytes + writeEnd(kernel, files, endAt, textsAt, firstKeysBytes)
    first += files.length
  })
  return recordsAt
}

/** What the first keys of files in their order begin with. */
function sharedBytes(files: readonly TableFile[]): number {
  const least = files[0]!.meta.minKey, greatest = files.at(-1)!.meta.minKey
  let shared = 0
  while (shared < least.length && shared < greatest.length && least[shared] === greatest[shared]) shared++
  return shared
}

/** As `zoneMapRowGroupOf` reads them; gives the bytes of their texts. */
function writeFirstKeys({ memory: { u8, u32 } }: Kernel, files: readonly TableFile[], shared: number, { prefixesAt, refsAt, textsAt }: Readonly<Record<'prefixesAt' | 'refsAt' | 'textsAt', Pointer>>): number {
  let offset = 0
  files.forEach(({ meta: { minKey } }, i) => {
    const prefix = Buffer.alloc(8)
    prefix.set(minKey.subarray(shared, shared + 8))
    u32.set([prefix.readUInt32BE(0), prefix.readUInt32BE(4)], (prefixesAt >>> 2) + 2 * i)
    u32.set([offset, minKey.length], (refsAt >>> 2) + 2 * i)
    u8.set(minKey, textsAt + offset)
    offset += minKey.length
  })
  return offset
}

/** The last key, behind the first ones of the run's texts, and how many rows there are; gives the key's bytes. */
function writeEnd({ memory: { u8, u32, f64 } }: Kernel, files: readonly TableFile[], endAt: Pointer, textsAt: Pointer, offset: number): number {
  const { maxKey } = files.at(-1)!.meta
  u32.set([offset, maxKey.length], endAt >>> 2)
  f64[(endAt >>> 3) + 1] = files.reduce((rows, { meta }) => rows + meta.rowCount, 0)
  u8.set(maxKey, textsAt + offset)
  return maxKey.length
}
