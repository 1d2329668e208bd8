/**
 * What a record of the commit journal holds: a round of the logs, that is the records that several of them wrote together.
 * The segments around it, their headers and checksums are those of any log (drawn in ../log.ts), under a number of a shard
 * that is none. Little-endian. Never change these numbers: a new layout gets a new version.
 *
 *   0  u32 bytes of all this   4  u32 1 (a round takes one place in the log)   8  f64 round, from 1 without a gap
 *  16  f64 the first round that is still needed: what stood before it is durable in the shards' own logs
 *  24  for each record: u32 shard, u32 0, a write batch (which says its own length and base sequence), zeros to the next multiple of 8
 */
import { batchHeaderBytes, viewOf } from '../../batch.ts'
import { lastSequenceOf } from '../segment-scan.ts'

export interface RoundEntry {
  readonly shard: number
  readonly baseSequence: number
  readonly lastSequence: number
  /** A write batch. */
  readonly payload: Uint8Array
}

export interface JournalRound {
  readonly round: number
  /** Rounds before it may be gone. */
  readonly neededFrom: number
  readonly entries: readonly RoundEntry[]
}

export type RoundReading =
  | { readonly kind: 'round'; readonly round: JournalRound }
  | { readonly kind: 'damaged'; readonly expected: string; readonly actual: string }

const roundHeaderBytes = 24
const entryHeaderBytes = 8

const padded = (byteLength: number): number => (byteLength + 7) & ~7

/** Bytes that a record takes of a round. */
export function entryBytes(payloadBytes: number): number {
  return entryHeaderBytes + padded(payloadBytes)
}

/** Bytes of a round whose entries take so many. */
export function roundBytes(entriesBytes: number): number {
  return roundHeaderBytes + entriesBytes
}

export type RoundContent = Pick<JournalRound, 'round' | 'neededFrom'> & { readonly entries: readonly Pick<RoundEntry, 'shard' | 'payload'>[] }

/** At the beginning of `into`, which has room for it. */
export function encodeRound({ round, neededFrom, entries }: RoundContent, into: Uint8Array): Uint8Array {
  const bytes = into.subarray(0, roundBytes(entries.reduce((sum, { payload }) => sum + entryBytes(payload.length), 0)))
  const view = viewOf(bytes)
  view.setUint32(0, bytes.length, true)
  view.setUint32(4, 1, true)
  view.setFloat64(8, round, true)
  view.setFloat64(16, neededFrom, true)
  let at = roundHeaderBytes
  for (const { shard, payload } of entries) {
    view.setUint32(at, shard, true)
    view.setUint32(at + 4, 0, true)
    bytes.set(payload, at + entryHeaderBytes)
    const end = at + entryBytes(payload.length)
    bytes.fill(0, at + entryHeaderBytes + payload.length, end)
    at = end
  }
  return bytes
}

/** The payload of a record whose checksum holds. Its entries are views on it. */
export function decodeRound(payload: Uint8Array): RoundReading {
  const view = viewOf(payload)
  if (payload.length < roundHeaderBytes + entryBytes(batchHeaderBytes)) return damaged('a round with a record', `${payload.length} bytes`)
  const [round, neededFrom] = [view.getFloat64(8, true), view.getFloat64(16, true)]
  if (!(Number.isSafeInteger(neededFrom) && neededFrom >= 1 && neededFrom <= round)) return damaged(`the first round that is needed, up to ${round}`, String(neededFrom))
  const entries: RoundEntry[] = []
  for (let at = roundHeaderBytes; at < payload.length;) {
    const entry = decodeEntry(payload, view, at)
    if (typeof entry === 'string') return damaged(`a record of a shard at byte ${at} of the round`, entry)
    entries.push(entry)
    at += entryBytes(entry.payload.length)
  }
  return { kind: 'round', round: { round, neededFrom, entries } }
}

/** Or what is wrong with it. */
function decodeEntry(payload: Uint8Array, view: DataView, at: number): RoundEntry | string {
  const rest = payload.length - at - entryHeaderBytes
  if (rest < batchHeaderBytes) return `${payload.length - at} bytes`
  if (view.getUint32(at + 4, true) !== 0) return `${view.getUint32(at + 4, true)} where 0 should stand`
  const start = at + entryHeaderBytes
  const byteLength = view.getUint32(start, true)
  if (byteLength < batchHeaderBytes || padded(byteLength) > rest) return `a batch of ${byteLength} bytes where ${rest} are left`
  const baseSequence = view.getFloat64(start + 8, true)
  if (!Number.isSafeInteger(baseSequence) || baseSequence < 1) return `base sequence ${baseSequence}`
  return { shard: view.getUint32(at, true), baseSequence, lastSequence: lastSequenceOf(baseSequence, view.getUint32(start + 4, true)), payload: payload.subarray(start, start + byteLength) }
}

function damaged(expected: string, actual: string): RoundReading {
  return { kind: 'damaged', expected, actual }
}
