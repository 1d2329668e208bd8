/**
 * The file `format`, written once when a database is made: what cannot change after.
 *
 *   0  magic "LSMTFMT1"    8  u16 format version    10  u16 checksum algorithm (1 = xxh64)    12  u32 body bytes
 *  16  u64 xxh64 of the 16 bytes before and the body    24  body: UTF-8 JSON { databaseId, shards, cluster }
 *
 * All numbers little-endian. Never change this layout; a new version gets a new version number.
 */
import { corruption, LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { isUnknown, openingPatience, untilKnown } from '../../lsm/claim/until-known.ts'
import { manifestsFolder } from '../../lsm/file-names.ts'
import { encodeFramed, framedChecksum } from '../../lsm/framed-json.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { Storage, StoredObject } from '../../storage/storage.ts'

export const formatFileName = 'format'
const magic = 'LSMTFMT1'
const formatVersion = 1
const algorithmXxh64 = 1
const headerBytes = 24

export interface DatabaseFormat {
  /** 32 hex digits. */
  readonly databaseId: string
  readonly shards: number
  /** What is there belongs to a cluster; absent: a database of its own. */
  readonly cluster?: ClusterOrigin
}

/** Of which cluster something is. In a bucket, a folder has each shard as a database of one shard, and the bucket itself nothing but the format. */
export interface ClusterOrigin {
  readonly cluster: string
  /** Tells clusters of one name apart. */
  readonly clusterId: string
  /** Of a directory: the node whose copies it has. */
  readonly node?: string
  /** Of a folder in a bucket: its shard. */
  readonly shard?: number
}

/** Of a cluster's shard in a bucket; of a database without folders there is none. */
export const shardFolder = (shard: number): string => `shards/${shard}/`

/** Of a directory. */
export type NodeOrigin = ClusterOrigin & Required<Pick<ClusterOrigin, 'node'>>

/**
 * The format of the database in `storage`; makes one with `shards` shards when there is none. 55000 for copies of a node. XX002 when a bucket, which
 * others may use too, holds something else there: it is no place for a new database. 58P01 when a directory has other
 * files of a database: read with another number of shards, its rows would be wrong.
 */
export async function openFormat(storage: Storage, kernel: Kernel, random: Random, shards: number, clock: Clock): Promise<DatabaseFormat> {
  const found = await findFormat(storage, kernel)
  if (found === undefined) return await makeFormat(storage, kernel, newFormat(random, shards), clock)
  assertStandalone(storage, found)
  return found
}

/** Errors as of `openFormat`. */
export async function findFormat(storage: Storage, kernel: Kernel): Promise<DatabaseFormat | undefined> {
  const found = storage.appends ? (await isThere(storage)) && (await storage.read(formatFileName)) : await readIfThere(storage)
  return found === false ? undefined : decodeFormat(kernel, found)
}

/** Where there is none yet; gives that of whoever was first. */
export async function makeFormat(storage: Storage, kernel: Kernel, format: DatabaseFormat, clock: Clock): Promise<DatabaseFormat> {
  const bytes = encodeFormat(kernel, format)
  const created = await untilKnown(() => storage.createIfAbsent(formatFileName, [bytes]), isUnknown, openingPatience(clock))
  return created === 'created' ? format : decodeFormat(kernel, await storage.read(formatFileName))
}

/** Of a database that nobody has yet. */
export function newFormat(random: Random, shards: number): DatabaseFormat {
  if (!Number.isInteger(shards) || shards < 1 || shards > 1024) throw new LsmtError('22023', `the number of shards is ${shards}; possible are 1 to 1024`)
  return { databaseId: Array.from({ length: 4 }, () => random.nextU32().toString(16).padStart(8, '0')).join(''), shards }
}

/** One request of a bucket where there is a database. */
async function readIfThere(storage: Storage): Promise<Uint8Array | false> {
  try {
    return await storage.read(formatFileName)
  } catch (error) {
    if (!(error instanceof LsmtError && error.code === '58P01')) throw error
    return (await isThere(storage)) && (await storage.read(formatFileName))
  }
}

async function isThere(storage: Storage): Promise<boolean> {
  const holdsFormat = ({ name }: StoredObject): boolean => name === formatFileName
  if ((await storage.list(formatFileName)).some(holdsFormat)) return true
  const others = await storage.list(storage.appends ? manifestsFolder : '')
  // Made since the look before.
  if (others.some(holdsFormat)) return true
  if (others.length === 0) return false
  if (storage.appends) throw new LsmtError('58P01', `the file ${formatFileName} is missing in ${storage.description}, where ${others[0]!.name} is of a database`, { file: formatFileName, hint: 'restore a backup, or run lsmt repair' })
  throw new LsmtError('XX002', `there is no database in ${storage.description}, but something else, such as ${others[0]!.name}`, { hint: 'give a prefix where nothing is; if this was a database, its object format is lost: restore a backup' })
}

/** The same without making one: 58P01 when there is no database, 55000 where a cluster keeps shards, each of them a database. */
export async function readFormat(storage: Storage, kernel: Kernel): Promise<DatabaseFormat> {
  try {
    const format = decodeFormat(kernel, await storage.read(formatFileName))
    const { cluster } = format
    if (cluster !== undefined && cluster.node === undefined && cluster.shard === undefined) throw new LsmtError('55000', `${storage.description} holds the shards of the cluster '${cluster.cluster}', each a database of its own`, { hint: `name one by its prefix, such as ${shardFolder(0)}` })
    return format
  } catch (error) {
    if (!(error instanceof LsmtError && error.code === '58P01')) throw error
    throw new LsmtError('58P01', `there is no database in ${storage.description}`, { hint: 'the first one who opens it to write makes it' }, error)
  }
}

/** Neither a single copy of each shard nor a shard that a node owns is a database that others may open. 55000. */
export function assertStandalone({ description }: Storage, { cluster }: DatabaseFormat): void {
  if (cluster === undefined) return
  const { cluster: name, node, shard } = cluster
  if (node !== undefined) throw new LsmtError('55000', `${description} holds copies that node '${node}' of the cluster '${name}' keeps: start it as that node, or give another directory`)
  throw new LsmtError('55000', `${description} is ${shard === undefined ? '' : `shard ${shard} `}of the cluster '${name}', whose nodes own it: ask one of them, or give another prefix`)
}

export function checkShardCount({ description }: Storage, shards: number, wanted: number): void {
  if (shards !== wanted) throw new LsmtError('22023', `the database in ${description} has ${shards} shards, which cannot change; ${wanted} were asked for`)
}

/** A format as bytes. */
export function encodeFormat(kernel: Kernel, { databaseId, shards, cluster }: DatabaseFormat): Uint8Array {
  return encodeFramed(kernel, { what: 'format', magic, version: formatVersion }, { databaseId, shards, cluster })
}

/**
 * The format that bytes say; XX001 when they are damaged, XX002 when another version wrote them, which is asked before
 * the checksum: that of a later version need not be one that is known here.
 */
export function decodeFormat(kernel: Kernel, bytes: Uint8Array): DatabaseFormat {
  const file = Buffer.from(bytes)
  if (file.length < headerBytes || file.toString('latin1', 0, 8) !== magic) throw broken('header', `magic ${magic}`, JSON.stringify(file.toString('latin1', 0, 8)))
  const version = file.readUInt16LE(8)
  if (version !== formatVersion || file.readUInt16LE(10) !== algorithmXxh64) {
    throw new LsmtError('XX002', `this database has format version ${version} (checksum algorithm ${file.readUInt16LE(10)}); this version of lsmt reads ${formatVersion} (1)`, { file: formatFileName })
  }
  if (file.readUInt32LE(12) !== file.length - headerBytes) throw broken('header', `${file.readUInt32LE(12)} body bytes`, String(file.length - headerBytes))
  const actual = framedChecksum(kernel, file)
  const expected = file.subarray(16, 24)
  if (!expected.equals(actual)) throw broken('body', expected.toString('hex'), actual.toString('hex'))
  const { databaseId, shards, cluster } = JSON.parse(file.toString('utf8', headerBytes)) as Partial<DatabaseFormat>
  if (typeof databaseId !== 'string' || typeof shards !== 'number' || !(shards >= 1)) throw broken('body', 'databaseId and shards', file.toString('utf8', headerBytes))
  if (cluster === undefined) return { databaseId, shards }
  if (!isOrigin(cluster)) throw broken('body', 'a cluster with its name and id', JSON.stringify(cluster))
  return { databaseId, shards, cluster }
}

/** Whether all is as this version writes it but the version itself: then that is damaged, and no other version wrote it. */
export function isOursButForVersion(kernel: Kernel, bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes)
  file.writeUInt16LE(formatVersion, 8)
  file.writeUInt16LE(algorithmXxh64, 10)
  return file.subarray(16, headerBytes).equals(framedChecksum(kernel, file))
}

function isOrigin(value: unknown): value is ClusterOrigin {
  const { cluster, clusterId, node, shard } = (value ?? {}) as Partial<Record<keyof ClusterOrigin, unknown>>
  const isName = (each: unknown): boolean => typeof each === 'string' && each !== ''
  return isName(cluster) && isName(clusterId) && (node === undefined || isName(node)) && (shard === undefined || Number.isSafeInteger(shard))
}

function broken(block: string, expected: string, actual: string): LsmtError {
  return corruption('format file', { file: formatFileName, block, expected, actual })
}
