/**
 * What a replica keeps beside log and files: `replica/<shard>/<number, 20 digits>.replica`, framed JSON, each written
 * whole under the next number before the one before is deleted. The newest counts. One that cannot be read is corruption:
 * who forgets an epoch may promise the same twice.
 */
import { corruption, LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Participant } from '../batch.ts'
import { fileNumberOf, replicaFolder, replicaRecordName } from '../file-names.ts'
import { decodeFramed, encodeFramed } from '../framed-json.ts'
import type { Frame } from '../framed-json.ts'
import type { LogPosition, VisiblePart } from './replicated-tree.ts'

/** Files that came from another replica, in place of all that was here. */
export interface FilesStart {
  /** Where they end, and the epoch of the entry that ends there, which no log here has. */
  readonly through: LogPosition
  /** Of the manifest that names them: once it stands, they count. */
  readonly manifestId: number
  /** Segments up to this number are of the log that they replace. */
  readonly segmentsThrough: number
  /** What was visible in them and not known to be settled. */
  readonly parts: readonly VisiblePart[]
}

export interface ReplicaRecord {
  /** 0: none was ever written. */
  readonly number: number
  readonly storedEpoch: number
  readonly start: FilesStart | undefined
  /** Files that are about to take the place of what is here. */
  readonly install: FilesStart | undefined
}

export interface RecordFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly shard: number
}

export const replicaRecordMagic = 'LSMTREP1'
const frame: Frame = { what: 'replica record', magic: replicaRecordMagic, version: 1 }

export async function readReplicaRecord({ storage, kernel, shard }: RecordFloor): Promise<ReplicaRecord> {
  const number = (await recordNumbers(storage, shard)).at(-1)
  if (number === undefined) return { number: 0, storedEpoch: 0, start: undefined, install: undefined }
  const file = replicaRecordName(shard, number)
  const { shard: found, ...record } = decodeReplicaRecord(kernel, await storage.read(file), file)
  if (found !== shard) throw corruption('replica record', { file, expected: `a record of shard ${shard}`, actual: `of shard ${found}` })
  return { number, ...record }
}

/** Resolves to the record as it stands now. 55006 when somebody else writes here. */
export async function writeReplicaRecord({ storage, kernel, shard }: RecordFloor, { number: before, storedEpoch, start, install }: ReplicaRecord): Promise<ReplicaRecord> {
  const number = before + 1
  const bytes = encodeFramed(kernel, frame, { shard, storedEpoch, start: start ?? null, install: install ?? null })
  if ((await storage.createIfAbsent(replicaRecordName(shard, number), [bytes])) === 'exists') throw new LsmtError('55006', `another process writes the replica of shard ${shard}`)
  for (const outdated of await recordNumbers(storage, shard)) if (outdated < number) await storage.delete(replicaRecordName(shard, outdated))
  return { number, storedEpoch, start, install }
}

async function recordNumbers(storage: Storage, shard: number): Promise<readonly number[]> {
  const folder = replicaFolder(shard)
  return (await storage.list(folder)).map(({ name }) => fileNumberOf(name, folder, 'replica')).filter((number) => number !== undefined)
}

/** XX001 when the bytes are damaged, XX002 when another version wrote them. */
export function decodeReplicaRecord(kernel: Kernel, bytes: Uint8Array, file: string): Omit<ReplicaRecord, 'number'> & { readonly shard: number } {
  const json = decodeFramed(kernel, frame, bytes, file)
  const { shard, storedEpoch, start, install } = (json ?? {}) as Readonly<Record<string, unknown>>
  const isRecord = isCount(shard) && isCount(storedEpoch) && [start, install].every((each) => each === null || isFilesStart(each))
  if (!isRecord) throw corruption('replica record', { file, expected: 'the record of a replica', actual: JSON.stringify(json) })
  return { shard, storedEpoch, start: (start as FilesStart | null) ?? undefined, install: (install as FilesStart | null) ?? undefined }
}

function isFilesStart(json: unknown): json is FilesStart {
  const { through, manifestId, segmentsThrough, parts } = (json ?? {}) as Readonly<Record<string, unknown>>
  return isPosition(through) && isCount(manifestId) && isCount(segmentsThrough) && isVisibleParts(parts)
}

export function isPosition(json: unknown): json is LogPosition {
  const { sequence, epoch } = (json ?? {}) as Readonly<Record<string, unknown>>
  return isCount(sequence) && isCount(epoch)
}

export function isVisibleParts(json: unknown): json is readonly VisiblePart[] {
  return Array.isArray(json) && json.every((part: Partial<VisiblePart> | null) => isCount(part?.baseSequence) && Array.isArray(part?.participants) && part.participants.every((participant: Partial<Participant> | null) => isCount(participant?.shard) && isCount(participant?.baseSequence)))
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
