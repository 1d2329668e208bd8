/** What `open()` takes, held against what there is: a misspelt option would change nothing, so it is refused. */
import { LsmtError } from './errors.ts'
import { checkObject, checkOptions, checkText, described } from './engine/keyed/given.ts'
import type { DatabaseRequest } from './engine/open-database.ts'
import { defaultDatabaseSettings } from './settings.ts'
import type { DatabaseSettings, TreeSettings } from './settings.ts'
import type { StorageAddress } from './storage/open-storage.ts'
import type { S3Address } from './storage/s3/s3-address.ts'

/** Where a database in a bucket is, and how it is reached. */
export type BucketOptions = Pick<S3Address, 'prefix' | 'endpoint' | 'region' | 'pathStyle' | 'credentials' | 'temporaryDirectory' | 'diskCache'>

export interface OpenOptions extends Partial<Omit<DatabaseSettings, 'tree'>>, BucketOptions {
  /** Default './data'; created if absent. One process at a time (55006). */
  readonly dataDir?: string
  /** Default true; false: 58P01 when there is no database, and nothing is made. */
  readonly createIfMissing?: boolean
  /**
   * 'memory' keeps nothing when the database is closed. 's3' keeps everything in `bucket`: whoever opens it there is its
   * writer from then on, and one that had it open before can write no more (55006). Default 'local'.
   */
  readonly storage?: 'local' | 'memory' | 's3'
  /** Of storage 's3', as are the options of its place and of how it is reached. */
  readonly bucket?: string
  /** Default false; true: follows the process that writes the database, which must be in a bucket (0A000), and changes nothing (25006). */
  readonly readOnly?: boolean
  /** Where the log of a database in a bucket is: 'stored' there, or 'local' in `dataDir`, which is sooner and is lost with this disk until it is flushed. Default 'stored'. */
  readonly log?: 'stored' | 'local'
  /** The id of a checkpoint (`lsmt checkpoint list`): only its state is read. */
  readonly atCheckpoint?: string
  readonly tree?: Partial<TreeSettings>
}

const bucketOptionNames = ['bucket', 'prefix', 'endpoint', 'region', 'pathStyle', 'credentials', 'temporaryDirectory', 'diskCache'] as const
const placeOptionNames = ['dataDir', 'createIfMissing', 'storage', 'log', 'readOnly', 'atCheckpoint', ...bucketOptionNames]
/** What servers are told (`lsmt serve --node-id`), and people may look for here. */
const clusterOptionNames = ['nodeId', 'etcd', 'cluster', 'advertise', 'replicationFactor', 'clusterSecret']
/** Of a program's own database: who waits for a sync is mostly all that there is to do. */
const inlineSyncMsMax = 2
const settingNames = Object.keys(defaultDatabaseSettings)
const treeSettingNames = Object.keys(defaultDatabaseSettings.tree)

/** 22023 for options that are none, or that contradict each other. */
export function databaseRequest(options: OpenOptions): DatabaseRequest {
  checkObject(options, 'what open() takes')
  const { atCheckpoint, readOnly = atCheckpoint !== undefined } = options
  if (atCheckpoint !== undefined) checkText(atCheckpoint, 'atCheckpoint')
  if (atCheckpoint !== undefined && readOnly === false) throw new LsmtError('22023', 'a checkpoint is only read: readOnly: false contradicts atCheckpoint')
  if (typeof readOnly !== 'boolean') throw new LsmtError('22023', `readOnly is true or false; it was given as ${described(readOnly)}`)
  return { readOnly, ...(atCheckpoint !== undefined && { atCheckpoint }), settings: databaseSettings(options), address: addressOf(options), isShardCountGiven: options.shards !== undefined, ...(options.storage === 's3' && options.log === 'local' && { logDirectory: options.dataDir ?? './data' }) }
}

function addressOf(options: OpenOptions): StorageAddress {
  const { dataDir, storage = 'local', log = 'stored' } = options
  if (dataDir !== undefined && (typeof dataDir !== 'string' || dataDir === '')) throw new LsmtError('22023', `dataDir is the path of a directory; it was given as ${dataDir === '' ? 'nothing' : described(dataDir)}`)
  if (log !== 'stored' && log !== 'local') throw new LsmtError('22023', `log is 'stored' or 'local', not '${String(log)}'`)
  const stray = bucketOptionNames.find((name) => options[name] !== undefined)
  if (storage !== 's3' && stray !== undefined) throw new LsmtError('22023', `'${stray}' is an option of storage 's3', and storage is '${storage}'`)
  switch (storage) {
    case 'local':
      return { kind: storage, directory: dataDir ?? './data' }
    case 'memory':
      return { kind: storage }
    case 's3':
      if (dataDir !== undefined && log === 'stored') throw new LsmtError('22023', "storage is 's3' and its log is stored there: nothing is kept in dataDir")
      return bucketAddress(options)
    default:
      throw new LsmtError('22023', `storage is 'local', 'memory' or 's3', not '${String(storage)}'`)
  }
}

function bucketAddress(options: OpenOptions): S3Address {
  const { bucket, prefix, endpoint, region, pathStyle, credentials, temporaryDirectory, diskCache } = options
  if (bucket === undefined) throw new LsmtError('22023', "storage 's3' needs the option 'bucket'")
  for (const [name, text] of Object.entries({ bucket, prefix, endpoint, region, temporaryDirectory })) if (text !== undefined) checkText(text, name)
  if (pathStyle !== undefined && typeof pathStyle !== 'boolean') throw new LsmtError('22023', `pathStyle is true or false; it was given as ${described(pathStyle)}`)
  if (credentials !== undefined) checkCredentials(credentials)
  if (diskCache !== undefined) checkDiskCache(diskCache)
  return { kind: 's3', bucket, ...defined({ prefix, endpoint, region, pathStyle, credentials, temporaryDirectory, diskCache }) }
}

function checkCredentials(credentials: NonNullable<S3Address['credentials']>): void {
  checkOptions(credentials, ['accessKeyId', 'secretAccessKey', 'sessionToken'], 'the credentials')
  const { accessKeyId, secretAccessKey, sessionToken = '' } = credentials
  for (const [name, text] of Object.entries({ accessKeyId, secretAccessKey, sessionToken })) checkText(text, `the credential ${name}`)
}

function checkDiskCache(diskCache: NonNullable<S3Address['diskCache']>): void {
  checkOptions(diskCache, ['directory', 'bytesMax'], 'the options of the cache on disk')
  checkText(diskCache.directory, 'the directory of the cache on disk')
  if (!Number.isSafeInteger(diskCache.bytesMax) || diskCache.bytesMax < 1) throw new LsmtError('22023', `bytesMax of the cache on disk is a number of bytes; it was given as ${described(diskCache.bytesMax)}`)
}

/** The defaults with what was given. */
function databaseSettings(options: OpenOptions): DatabaseSettings {
  const { tree = {}, ...others } = options
  checkObject(tree, "the option 'tree'")
  const given = Object.fromEntries(Object.entries(others).filter(([name]) => !placeOptionNames.includes(name)))
  const ofCluster = Object.keys(given).find((name) => clusterOptionNames.includes(name))
  if (ofCluster !== undefined) throw new LsmtError('0A000', `'${ofCluster}' is not supported here: a database within a program is no node of a cluster`, { hint: 'lsmt serve --node-id is one; ask it over HTTP' })
  for (const name of Object.keys(given)) if (!settingNames.includes(name)) throw new LsmtError('22023', `'${name}' is no option; options are ${[...placeOptionNames, ...settingNames].join(', ')}`)
  for (const name of Object.keys(tree)) if (!treeSettingNames.includes(name)) throw new LsmtError('22023', `'tree.${name}' is no option; tree options are ${treeSettingNames.join(', ')}`)
  return { ...defaultDatabaseSettings, inlineSyncMsMax, ...defined(given), tree: { ...defaultDatabaseSettings.tree, ...defined(tree) } }
}

/** Without the fields that are undefined. */
function defined<T extends object>(given: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as { [Name in keyof T]?: Exclude<T[Name], undefined> }
}
