/**
 * Verifies a table file as a whole: every byte against its checksum, then what the footer, the filter and the manifest
 * say against the rows themselves. Findings are collected, not raised at the first, so that one run tells how far the
 * damage goes. Errors that are no fault of the file (out of memory, our own bugs) are raised.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { ObjectReader, Storage } from '../../storage/storage.ts'
import { headerBytes, headerMagic } from './format.ts'
import { directoryEntry } from './read/chunk-loader.ts'
import { checkLengths, checkVersion, expectChecksum, expectIn, readTail } from './read/tail.ts'
import { bytesAt } from './read/tail-view.ts'
import type { Tail } from './read/tail-view.ts'
import type { TableMeta } from './table.ts'
import { tableFileName } from './table-file-name.ts'
import { createArena, readToArena } from './verify/arena.ts'
import type { Arena } from './verify/arena.ts'
import { findingOf } from './verify/finding.ts'
import type { Check, Finding } from './verify/finding.ts'
import { verifyRowGroup } from './verify/verify-row-group.ts'

export async function verifyTable(storage: Storage, kernel: Kernel, meta: TableMeta, shard: number): Promise<Finding[]> {
  const file = tableFileName(shard, meta.fileNumber)
  const findings: Finding[] = []
  const check: Check = (run) => {
    try {
      return run()
    } catch (error) {
      findings.push(findingOf(file, error))
      return undefined
    }
  }
  const arena = createArena(kernel)
  let object: ObjectReader | undefined
  try {
    object = await storage.open(file)
    await verifyObject(object, { kernel, meta, file, arena, check })
  } catch (error) {
    findings.push(findingOf(file, error))
  } finally {
    arena.free()
    await object?.close()
  }
  return findings
}

interface Verification {
  readonly kernel: Kernel
  readonly meta: TableMeta
  readonly file: string
  readonly arena: Arena
  readonly check: Check
}

async function verifyObject(object: ObjectReader, verification: Verification): Promise<void> {
  const { kernel, meta, file, arena, check } = verification
  if (check(() => checkLengths(file, meta, object.byteLength)) === undefined) return
  const header = await readToArena(object, kernel, arena, 0, headerBytes)
  check(() => checkHeader(kernel, file, meta, header))
  const address = await readToArena(object, kernel, arena, meta.byteLength - meta.tailBytes, meta.tailBytes)
  const tail = check(() => readTail(kernel, file, meta, address))
  if (tail === undefined) return
  const lastKey = await verifyRowGroups(object, verification, tail)
  check(() => checkBounds(kernel, tail, meta, lastKey))
  arena.free()
}

function checkHeader(kernel: Kernel, file: string, meta: TableMeta, header: Pointer): void {
  const { view, buffer } = kernel.memory
  const expect = expectIn(file)
  expect('header magic', headerMagic, buffer.toString('latin1', header, header + 8))
  expectChecksum(kernel, file, 'header', header, headerBytes - 8, header + headerBytes - 8)
  checkVersion(file, view.getUint16(header + 8, true), view.getUint16(header + 10, true))
  expect('header, table id', meta.tableId, view.getUint32(header + 12, true))
  expect('header, file number', meta.fileNumber, view.getFloat64(header + 16, true))
}

/** Reads row group after row group; returns the last key. */
async function verifyRowGroups(object: ObjectReader, verification: Verification, tail: Tail): Promise<Uint8Array | undefined> {
  const { kernel, check } = verification
  const { u32 } = kernel.memory
  const startOf = (rowGroup: number): number =>
    rowGroup === tail.shape.rowGroupCount ? tail.filterOffset : u32[directoryEntry(tail, rowGroup * tail.slots.count) >>> 2]! * 8
  let lastKey: Uint8Array | undefined
  for (let rowGroup = 0; rowGroup < tail.shape.rowGroupCount; rowGroup++) {
    const arena = createArena(kernel)
    try {
      const start = startOf(rowGroup)
      const chunks = await readToArena(object, kernel, arena, start, startOf(rowGroup + 1) - start)
      lastKey = verifyRowGroup({ kernel, tail, arena, check, rowGroup, chunks, start }, lastKey) ?? lastKey
    } finally {
      arena.free()
    }
  }
  return lastKey
}

/** The smallest and largest key, of rows and range tombstones, are those that the manifest has. */
function checkBounds({ memory }: Kernel, tail: Tail, meta: TableMeta, lastKey: Uint8Array | undefined): void {
  const keys = lastKey === undefined ? [] : [bytesAt(memory, tail, tail.sections.firstKeyRefs, 0), lastKey]
  for (let i = 0; i < tail.shape.rangeTombstoneCount * 2; i++) keys.push(bytesAt(memory, tail, tail.sections.rangeTombstones, i))
  const sorted = keys.toSorted((a, b) => Buffer.compare(a, b))
  const hexOf = (key: Uint8Array | undefined): string => (key === undefined ? 'none' : Buffer.from(key).toString('hex'))
  const expect = expectIn(tail.file)
  expect('smallest key', hexOf(sorted[0]), hexOf(meta.minKey))
  expect('largest key', hexOf(sorted.at(-1)), hexOf(meta.maxKey))
}

export type { Finding }
