/** A backup as it is read: a folder or a place in a bucket. Nothing is locked or written there, so that it may be read-only. */
import { join } from 'node:path'
import { storedFile } from '../../engine/shards/checkpoint.ts'
import { LsmtError } from '../../errors.ts'
import { backupListName, parseBackupList } from '../../http/backup/archive.ts'
import type { BackupFile, BackupList } from '../../http/backup/archive.ts'
import { openPlainFile } from '../../storage/local/plain-file.ts'
import { addressName, openStorage } from '../../storage/open-storage.ts'
import { readSmallFile, readSmallObject } from '../../storage/small-file.ts'
import { checkedName } from '../../storage/storage-name.ts'
import type { Storage } from '../../storage/storage.ts'
import { opening } from '../target/opening.ts'
import type { PlaceAddress } from '../target/storage-flags.ts'
import { listBytesMax } from './receive-archive.ts'

export interface BackupSource {
  readonly list: BackupList
  read(file: BackupFile): Promise<AsyncIterable<Uint8Array>>
  close(): Promise<void>
}

/** 58P01 when there is no complete backup, XX001 or XX002 when its list cannot be read. */
export async function openBackup(address: PlaceAddress): Promise<BackupSource> {
  if (address.kind === 'local') return backupIn(addressName(address), folderFiles(address.directory))
  const storage = await opening(openStorage(address, 'read'))
  try {
    return await backupIn(addressName(address), storageFiles(storage))
  } catch (error) {
    await storage.close()
    throw error
  }
}

interface BackupFiles {
  readList(): Promise<Buffer>
  read(file: BackupFile): Promise<AsyncIterable<Uint8Array>>
  close(): Promise<void>
}

async function backupIn(name: string, files: BackupFiles): Promise<BackupSource> {
  try {
    const list = parseBackupList((await files.readList()).toString('utf8'))
    return { list, read: files.read, close: files.close }
  } catch (error) {
    if (!(error instanceof LsmtError) || error.code !== '58P01') throw error
    throw new LsmtError('58P01', `${name} is no complete backup: there is no ${backupListName} in it`, {}, error)
  }
}

function folderFiles(folder: string): BackupFiles {
  return {
    readList: () => readSmallFile(join(folder, backupListName), listBytesMax),
    read: async ({ name }) => (await openPlainFile(join(folder, checkedName(name)))).read(),
    close: async () => {},
  }
}

function storageFiles(storage: Storage): BackupFiles {
  return {
    readList: () => readSmallObject(storage, backupListName, listBytesMax),
    read: async ({ name, byteLength }) => storedFile(storage, name, byteLength).read(),
    close: storage.close,
  }
}
