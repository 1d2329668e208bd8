/** Where a database is: a directory, or a place in a bucket. Credentials and region are found as the AWS tools find them. */
import { InvalidArgumentError, Option } from 'commander'
import type { DatabaseRequest } from '../../engine/open-database.ts'
import { LsmtError } from '../../errors.ts'
import type { LocalAddress } from '../../storage/open-storage.ts'
import { bucketExpected, endpointExpected, isBucketName, isEndpoint, isKeyPrefix, prefixExpected } from '../../storage/s3/s3-address.ts'
import type { S3Address } from '../../storage/s3/s3-address.ts'
import type { FlagSource } from '../command.ts'
import { bytesIn, dataDirOption, nonEmpty } from '../flags.ts'
import { switchOption } from '../switches.ts'

/** How a store other than AWS is reached. */
export interface StoreFlags {
  readonly s3Endpoint?: string
  readonly s3PathStyle: 'auto' | 'true' | 'false'
}

export interface StorageFlags extends StoreFlags {
  readonly dataDir: string
  readonly storage: 'local' | 's3'
  readonly bucket?: string
  readonly prefix?: string
}

export interface DatabaseFlags extends StorageFlags {
  readonly cacheDir?: string
  readonly cacheBytesMax: number
  readonly log: 'stored' | 'local'
}

export interface ChosenDatabase extends Pick<DatabaseRequest, 'logDirectory'> {
  readonly address: PlaceAddress
}

/** Of a database that is opened beside whoever may have it open. */
export interface GuestFlags extends DatabaseFlags {
  readonly takeOver?: boolean
}

export type PlaceAddress = LocalAddress | S3Address

const MiB = 1024 * 1024, GiB = 1024 * MiB

export function storageOptions(): readonly Option[] {
  return [
    dataDirOption(),
    new Option('--storage <kind>', 'where the data is: in a directory, or in a bucket; keys and region as the AWS tools find them, such as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION').env('LSMT_STORAGE').default('local').choices(['local', 's3']),
    new Option('--bucket <name>', 'bucket of --storage s3').env('LSMT_BUCKET').argParser(checked(isBucketName, bucketExpected)),
    new Option('--prefix <prefix>', 'in front of every name in the bucket, such as prod/orders, so that databases share one').env('LSMT_PREFIX').argParser(checked(isKeyPrefix, prefixExpected)),
    ...storeOptions(),
  ]
}

/** Of commands that may only read. */
export interface ReaderFlags {
  readonly readOnly?: boolean
  readonly atCheckpoint?: string
}

export function readerOptions(): readonly Option[] {
  return [
    switchOption('--read-only', 'only read, beside the process that writes, whose database is in a bucket (--storage s3): follow it and change nothing'),
    new Option('--at-checkpoint <id>', 'only read, and only the state of a checkpoint (lsmt checkpoint list)').env('LSMT_AT_CHECKPOINT').argParser(nonEmpty),
  ]
}

export function readingRequest({ readOnly, atCheckpoint }: ReaderFlags): Pick<DatabaseRequest, 'readOnly' | 'atCheckpoint'> {
  return { readOnly: readOnly === true || atCheckpoint !== undefined, ...(atCheckpoint !== undefined && { atCheckpoint }) }
}

export function databaseOptions(): readonly Option[] {
  return [
    ...storageOptions(),
    new Option('--log <place>', 'the log of a database in a bucket: stored there, or local in --data-dir, which is sooner and is lost with this disk until it is flushed').env('LSMT_LOG').default('stored').choices(['stored', 'local']),
    new Option('--cache-dir <path>', 'keep what was read of a bucket in this directory, for later starts too; it may be deleted at any time').env('LSMT_CACHE_DIR').argParser(nonEmpty),
    new Option('--cache-bytes-max <bytes>', 'of that directory').env('LSMT_CACHE_BYTES_MAX').default(10 * GiB).argParser(bytesIn(64 * MiB, 1024 * 1024 * GiB)),
  ]
}

export function guestOptions(): readonly Option[] {
  return [...databaseOptions(), takeOverOption()]
}

export function takeOverOption(): Option {
  return switchOption('--take-over', 'open a database in a bucket although its last writer has not ended by itself; if it runs, it can write no more')
}

export function storeOptions(): readonly Option[] {
  return [
    new Option('--s3-endpoint <url>', 'URL of a store other than AWS').env('LSMT_S3_ENDPOINT').argParser(checked(isEndpoint, endpointExpected)),
    new Option('--s3-path-style <kind>', 'whether the bucket stands in the path of URLs, not in their host name; auto: where there is an endpoint').env('LSMT_S3_PATH_STYLE').default('auto').choices(['auto', 'true', 'false']),
  ]
}

/** '' stands for nothing, which is what variables are often set to. */
function checked(isRight: (text: string) => boolean, expected: string): (text: string) => string {
  return (text) => {
    if (text !== '' && !isRight(text)) throw new InvalidArgumentError(`Expected ${expected}.`)
    return text
  }
}

/** What flags of a bucket are called; `places` alone are strays when a variable gives them. */
const places = { bucket: '--bucket', prefix: '--prefix' }
const stores = { s3Endpoint: '--s3-endpoint', s3PathStyle: '--s3-path-style' }
const bucketFlags: Readonly<Record<string, string>> = { ...places, ...stores, cacheDir: '--cache-dir', takeOver: '--take-over' }

/** `sourceOf` for a command whose other place, if it is in a bucket, is what flags of stores are given for. */
export function besideStore(other: PlaceAddress, sourceOf: (flag: string) => FlagSource): (flag: string) => FlagSource {
  return other.kind === 's3' ? (flag) => (flag in stores ? undefined : sourceOf(flag)) : sourceOf
}

/** 22023 for flags that contradict each other: nothing is taken from, or put into, a place that was not meant. */
export function chosenAddress(flags: StorageFlags, sourceOf: (flag: string) => FlagSource): PlaceAddress {
  const { dataDir, storage, bucket, prefix } = flags
  if (storage === 'local') {
    const isStray = (name: string): boolean => sourceOf(name) === 'cli' || (name in places && sourceOf(name) === 'env' && sourceOf('storage') !== 'cli')
    const stray = Object.entries(flags).find(([name, value]) => value !== undefined && value !== '' && name in bucketFlags && isStray(name))?.[0]
    if (stray !== undefined) throw new LsmtError('22023', `${bucketFlags[stray]} is of --storage s3, and the storage is local`, { hint: 'give --storage s3 too, or leave it out' })
    return { kind: 'local', directory: dataDir }
  }
  if (!bucket) throw new LsmtError('22023', '--storage s3 needs a bucket', { hint: 'give --bucket (LSMT_BUCKET)' })
  return { kind: 's3', bucket, ...(prefix && { prefix }), ...storeOf(flags) }
}

export function chosenDatabase(flags: DatabaseFlags, sourceOf: (flag: string) => FlagSource): ChosenDatabase {
  const { cacheDir, cacheBytesMax } = flags
  const address = chosenAddress(flags, sourceOf)
  if (cacheDir === undefined && sourceOf('cacheBytesMax') === 'cli') throw new LsmtError('22023', '--cache-bytes-max is of --cache-dir, which is not given')
  const isCached = address.kind === 's3' && cacheDir !== undefined
  return { address: isCached ? { ...address, diskCache: { directory: cacheDir, bytesMax: cacheBytesMax } } : address, ...(address.kind === 's3' && flags.log === 'local' && { logDirectory: flags.dataDir }) }
}

function storeOf({ s3Endpoint, s3PathStyle }: StoreFlags): Pick<S3Address, 'endpoint' | 'pathStyle'> {
  return { ...(s3Endpoint && { endpoint: s3Endpoint }), ...(s3PathStyle !== 'auto' && { pathStyle: s3PathStyle === 'true' }) }
}

/**
 * A place that is given as one word: a directory, or `s3://bucket/prefix`. `?endpoint=` and `?region=` name another store
 * than the flags do, so that a copy can go from one to the other. 22023 for a URL that names none.
 */
export function addressOf(place: string, flags: StoreFlags): PlaceAddress {
  if (!place.startsWith('s3://')) return { kind: 'local', directory: place }
  const bad = (expected: string): LsmtError => new LsmtError('22023', `bad place ${JSON.stringify(place)}: expected ${expected}`)
  const [path = '', query = ''] = place.slice('s3://'.length).split('?', 2)
  const bucket = path.split('/', 1)[0]!
  const prefix = path.slice(bucket.length + 1)
  if (!isBucketName(bucket)) throw bad(`s3://bucket/prefix, the bucket's name being ${bucketExpected}`)
  if (!isKeyPrefix(prefix)) throw bad(`s3://bucket/prefix, the prefix being ${prefixExpected}`)
  const parameters = Object.fromEntries(new URLSearchParams(query))
  const { endpoint, region, ...others } = parameters
  if (Object.keys(others).length > 0) throw bad('no parameters but endpoint and region')
  if (endpoint !== undefined && !isEndpoint(endpoint)) throw bad(`an endpoint that is ${endpointExpected}`)
  return { kind: 's3', bucket, ...(prefix !== '' && { prefix }), ...storeOf(flags), ...(endpoint !== undefined && { endpoint }), ...(region !== undefined && { region }) }
}
