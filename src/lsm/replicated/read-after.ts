/** Entries of a replica's log for a peer: from memory, or, where it lags far behind, from segments. */
import { corruption, LsmtError } from '../../errors.ts'
import { viewOf } from '../batch.ts'
import { readRecord, recordBytes, recordHeaderBytes, segmentHeaderBytes } from '../log/segment-format.ts'
import type { WrittenSegment } from '../log/segment-writer.ts'
import { lastSequenceOf } from '../log/segment-scan.ts'
import { allocateBeforeCache } from '../state/memtable-memory.ts'
import type { ReplicaState } from './replica-state.ts'
import type { ReplicatedEntry } from './replicated-tree.ts'
import type { ObjectReader } from '../../storage/storage.ts'

export async function readAfter(replica: ReplicaState, sequence: number, bytesMax: number): Promise<readonly ReplicatedEntry[] | undefined> {
  const { window, log } = replica
  const held = window.after(sequence, bytesMax)
  if (held !== undefined) return held
  const segment = log.segments().find(({ sequenceBefore, lastSequence }) => sequenceBefore <= sequence && sequence < lastSequence)
  if (segment === undefined || sequence < replica.trimmedSequence) return undefined
  try {
    return await readSegment(replica, segment, sequence, bytesMax)
  } catch (error) {
    // Trimmed meanwhile.
    if (error instanceof LsmtError && error.code === '58P01' && sequence < replica.trimmedSequence) return undefined
    throw error
  }
}

async function readSegment(replica: ReplicaState, segment: WrittenSegment, sequence: number, bytesMax: number): Promise<readonly ReplicatedEntry[]> {
  const { options: { storage }, cursors, window } = replica
  const cursor = cursors.get(segment.name)
  // What is before the window is visible, and so has been written and is not cut any more.
  const throughSequence = Math.min(segment.lastSequence, window.startSequence)
  const reading: SegmentReading = { replica, segment, afterSequence: sequence, throughSequence, bytesMax, entries: [], bytes: 0, byteOffset: cursor !== undefined && cursor.sequence <= sequence ? cursor.byteOffset : segmentHeaderBytes, at: segment.sequenceBefore }
  const object = await storage.open(segment.name)
  try {
    while (await readPiece(reading, object));
  } finally {
    await object.close()
  }
  keepCursor(replica, segment.name, { sequence: reading.at, byteOffset: reading.byteOffset })
  return reading.entries
}

const cursorsMax = 32

function keepCursor({ cursors }: ReplicaState, name: string, cursor: { readonly sequence: number; readonly byteOffset: number }): void {
  cursors.delete(name)
  cursors.set(name, cursor)
  if (cursors.size > cursorsMax) cursors.delete(cursors.keys().next().value!)
}

interface SegmentReading {
  readonly replica: ReplicaState
  readonly segment: WrittenSegment
  readonly afterSequence: number
  readonly throughSequence: number
  readonly bytesMax: number
  readonly entries: ReplicatedEntry[]
  bytes: number
  /** Of the next record. */
  byteOffset: number
  /** Where the record before it ends. */
  at: number
}

const pieceBytes = 1024 * 1024

/** Takes the records of the next piece of the segment; false when there are enough, or no more. */
async function readPiece(reading: SegmentReading, object: ObjectReader): Promise<boolean> {
  const { replica: { options: { kernel: { heap, memory }, memtableMemory } }, segment, throughSequence, byteOffset } = reading
  if (reading.at >= throughSequence) return false
  const wanted = Math.min(Math.max(pieceBytes, await nextRecordBytes(object, segment.name, byteOffset)), object.byteLength - byteOffset)
  const byteLength = wanted & ~7
  const address = allocateBeforeCache(heap, memtableMemory, byteLength + 8)
  try {
    await object.read(memory.u8.subarray(address, address + byteLength), byteOffset)
    return takeRecords(reading, address, address + byteLength)
  } finally {
    heap.free(address)
  }
}

async function nextRecordBytes(object: ObjectReader, file: string, byteOffset: number): Promise<number> {
  const header = new Uint8Array(recordHeaderBytes)
  if (byteOffset + header.length > object.byteLength) throw corruption('log record', { file, byteOffset, expected: 'a record', actual: 'the end of the file' })
  await object.read(header, byteOffset)
  return recordBytes(viewOf(header).getUint32(8, true))
}

function takeRecords(reading: SegmentReading, from: number, end: number): boolean {
  const { replica: { options: { kernel } }, segment, afterSequence, throughSequence, bytesMax, entries } = reading
  for (let at = from; reading.at < throughSequence; ) {
    const record = readRecord(kernel, at, end, end)
    if (record.kind === 'damaged') {
      // The piece ends within a record.
      if (at > from) return true
      throw corruption('log record', { file: segment.name, byteOffset: reading.byteOffset, expected: record.expected, actual: record.actual })
    }
    const { baseSequence, payloadBytes, byteLength } = record
    const payloadAt = at + recordHeaderBytes
    const lastSequence = lastSequenceOf(baseSequence, kernel.memory.view.getUint32(payloadAt + 4, true))
    if (baseSequence > afterSequence) {
      if (entries.length > 0 && reading.bytes + payloadBytes > bytesMax) return false
      entries.push({ epoch: segment.writerEpoch, baseSequence, lastSequence, batch: kernel.memory.u8.slice(payloadAt, payloadAt + payloadBytes) })
      reading.bytes += payloadBytes
    }
    at += byteLength
    reading.byteOffset += byteLength
    reading.at = lastSequence
  }
  return false
}
