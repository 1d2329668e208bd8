/** The format file, made anew when it cannot be read. */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { manifestsFolder } from '../../lsm/file-names.ts'
import type { Random } from '../../runtime/random.ts'
import { tableFilesFolder } from '../../lsm/state/table-files.ts'
import type { Storage } from '../../storage/storage.ts'
import { decodeFormat, encodeFormat, formatFileName, isOursButForVersion, newFormat } from '../shards/format-file.ts'
import type { StateLoss } from './loss.ts'
import { copyToQuarantine } from './quarantine.ts'

/** The number of shards is told by their folders; the database's id is a new one. */
export async function repairFormat(storage: Storage, kernel: Kernel, random: Random): Promise<StateLoss | undefined> {
  try {
    decodeFormat(kernel, await storage.read(formatFileName))
    return undefined
  } catch (error) {
    if (!(error instanceof LsmtError) || !(await isLost(storage, kernel, error))) throw error
    const shards = await shardFolders(storage)
    if (shards === 0) throw new LsmtError('XX001', 'the format file cannot be read and no shard has a manifest: there is nothing to repair from', {}, error)
    const quarantined = error.code === '58P01' ? undefined : await copyToQuarantine(storage, formatFileName)
    await storage.delete(formatFileName)
    await storage.createIfAbsent(formatFileName, [encodeFormat(kernel, newFormat(random, shards))])
    return { kind: 'format', file: formatFileName, shard: undefined, reason: error.message, quarantined }
  }
}

async function isLost(storage: Storage, kernel: Kernel, { code }: LsmtError): Promise<boolean> {
  return code === 'XX001' || code === '58P01' || (code === 'XX002' && isOursButForVersion(kernel, await storage.read(formatFileName)))
}

/** How many shards the folders of manifests and of table files tell; 0 where there is no manifest. */
async function shardFolders(storage: Storage): Promise<number> {
  const manifests = await shardsWithManifests(storage)
  if (manifests.length === 0) return 0
  const tables = (await storage.list(tableFilesFolder)).map(({ name }) => Number(name.split('/')[1])).filter(Number.isSafeInteger)
  return 1 + [...manifests, ...tables].reduce((most, shard) => Math.max(most, shard), 0)
}

export async function shardsWithManifests(storage: Storage): Promise<readonly number[]> {
  return [...new Set((await storage.list(manifestsFolder)).map(({ name }) => Number(name.split('/')[1])).filter(Number.isSafeInteger))]
}
