/** `lsmt inspect`: what a file of a database holds: table file, log segment, log object, manifest, record of a replica or format. Reads that file only, and takes no lock. */
import { Argument } from 'commander'
import { decodeFormat } from '../../engine/shards/format-file.ts'
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { describeSegment } from '../../lsm/log/describe-segment.ts'
import type { SegmentDescription } from '../../lsm/log/describe-segment.ts'
import { describeObject } from '../../lsm/log/stream/describe-object.ts'
import type { LogObjectDescription } from '../../lsm/log/stream/describe-object.ts'
import { decodeManifest } from '../../lsm/manifest-codec.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import { decodeReplicaRecord, replicaRecordMagic } from '../../lsm/replicated/replica-record.ts'
import { describeTable, describeTableText } from '../../lsm/table/describe-table.ts'
import { storedTable } from '../../lsm/table/stored-table.ts'
import { tableFileName } from '../../lsm/table/table-file-name.ts'
import type { KernelKind } from '../../settings.ts'
import { createMemoryStorage } from '../../storage/memory-storage.ts'
import { withStorage } from '../../storage/open-storage.ts'
import { readSmallFile, readSmallObject } from '../../storage/small-file.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { kernelsOption } from '../flags.ts'
import type { CliHost } from '../host.ts'
import { jsonOption } from '../switches.ts'
import { openFileKernel } from '../target/file-kernel.ts'
import { opening } from '../target/opening.ts'
import { addressOf, storeOptions } from '../target/storage-flags.ts'
import type { StoreFlags } from '../target/storage-flags.ts'
import { logObjectText, manifestText, replicaText, segmentText } from './description-text.ts'

interface InspectFlags extends StoreFlags {
  readonly kernels: KernelKind
  readonly json?: boolean
}

export function addInspect(floor: CommandFloor): void {
  addCommand<InspectFlags>(floor, {
    name: 'inspect',
    arguments: [new Argument('<file>', 'a file under sst/, wal/, manifest/ or replica/ of a database, or its format file; s3://bucket/prefix/sst/… in a bucket')],
    description: 'show what a file of a database holds: row groups, encodings, sizes, zone maps, records, levels',
    options: [...storeOptions(), kernelsOption(), jsonOption('as JSON, in full')],
    examples: ['lsmt inspect data/sst/0/00000000000000000001.sst', 'lsmt inspect s3://my-bucket/prod/format', 'lsmt inspect --json data/manifest/0/00000000000000000007.manifest'],
    run: (flags, [file]) => inspect(flags, file!, floor.host),
  })
}

const fileBytesMax = 256 * 1024 * 1024

/** A file as it is described: as data, and as text. */
interface Description {
  readonly data: unknown
  readonly text: string
  readonly isDamaged: boolean
}

async function inspect(flags: InspectFlags, path: string, host: CliHost): Promise<ExitCode> {
  const { kernels, json } = flags
  const bytes = await bytesOf(path, flags)
  const kernel = openFileKernel(kernels)
  const { data, text, isDamaged } = await describe(kernel, path, bytes)
  host.printLine(json === true ? JSON.stringify(data, jsonValue) : text)
  return isDamaged ? exitCode.damaged : exitCode.ok
}

async function bytesOf(path: string, flags: StoreFlags): Promise<Buffer> {
  const [place = '', query] = path.split('?', 2)
  const inBucket = /^(s3:\/\/.+?)\/((?:sst|wal|manifest|writer|checkpoints)\/[^?]+|format)$/.exec(place)
  if (inBucket === null && !path.startsWith('s3://')) return await readSmallFile(path, fileBytesMax)
  if (inBucket === null) throw new LsmtError('22023', `${path} is no name of a file of a database`, { hint: 'expected s3://bucket/prefix/ and a name under sst/, wal/ or manifest/' })
  const [, root, name] = inBucket
  const address = addressOf(query === undefined ? root! : `${root}?${query}`, flags)
  return await opening(withStorage(address, 'read', (storage) => readSmallObject(storage, name!, fileBytesMax)))
}

async function describe(kernel: Kernel, path: string, bytes: Buffer): Promise<Description> {
  switch (bytes.toString('latin1', 0, 8)) {
    case 'LSMTSST1':
      return await describeTableFile(kernel, path, bytes)
    case 'LSMTWAL1':
      return segment(path, describeSegment(kernel, bytes))
    case 'LSMTLOG1':
      return logObject(path, describeObject(kernel, bytes, path))
    case 'LSMTMAN1':
      return manifest(path, decodeManifest(kernel, bytes, path))
    case replicaRecordMagic: {
      const record = decodeReplicaRecord(kernel, bytes, path)
      return { data: { kind: 'replica', file: path, ...record }, text: replicaText(path, record), isDamaged: false }
    }
    case 'LSMTFMT1': {
      const format = decodeFormat(kernel, bytes)
      return { data: { kind: 'format', ...format }, text: `${path}: database ${format.databaseId} of ${format.shards} shards`, isDamaged: false }
    }
    default:
      if (path.endsWith('.wal')) return segment(path, describeSegment(kernel, bytes))
      throw new LsmtError('XX001', `${path} begins like no file of a database`, { file: path, expected: 'LSMTSST1, LSMTWAL1, LSMTLOG1, LSMTMAN1, LSMTREP1 or LSMTFMT1', actual: JSON.stringify(bytes.toString('latin1', 0, 8)) })
  }
}

/** Under the name that it has in a database, wherever it stands. */
async function describeTableFile(kernel: Kernel, path: string, bytes: Buffer): Promise<Description> {
  const shard = Number(/(\d+)\/\d{20}\.sst$/.exec(path.replaceAll('\\', '/'))?.[1] ?? 0)
  const storage = createMemoryStorage()
  const anyName = 'inspected.sst'
  await storage.createIfAbsent(anyName, [bytes])
  const { meta } = await storedTable(storage, kernel, anyName)
  await storage.createIfAbsent(tableFileName(shard, meta.fileNumber), [bytes])
  const description = await describeTable(storage, kernel, meta, shard)
  return { data: { kind: 'table', ...description }, text: describeTableText(description), isDamaged: false }
}

function segment(path: string, description: SegmentDescription): Description {
  return { data: { kind: 'log', file: path, ...description }, text: segmentText(path, description), isDamaged: description.damage.length > 0 }
}

function logObject(path: string, description: LogObjectDescription): Description {
  return { data: { ...description, kind: 'logObject', file: path }, text: logObjectText(path, description), isDamaged: description.damage !== undefined }
}

function manifest(path: string, state: ManifestState): Description {
  return { data: { kind: 'manifest', file: path, ...state }, text: manifestText(path, state), isDamaged: false }
}

/** Integers beyond 2^53 and NaN as text, bytes in hexadecimal. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}
