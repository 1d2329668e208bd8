/** A backup's archive into an empty storage, every file durable, its list last: without it nothing takes the files for a backup. */
import { createHash } from 'node:crypto'
import { LsmtError } from '../../errors.ts'
import { backupListName, parseBackupList } from '../../http/backup/archive.ts'
import type { BackupFile, BackupList } from '../../http/backup/archive.ts'
import { readTar } from '../../http/backup/tar.ts'
import type { TarEntry } from '../../http/backup/tar.ts'
import type { Storage } from '../../storage/storage.ts'

/** XX001 when the archive is damaged or not complete; then nothing of it stays. */
export async function receiveArchive(pieces: AsyncIterable<Uint8Array>, storage: Storage, onBytes: (byteLength: number) => void): Promise<BackupList> {
  const received: BackupFile[] = []
  try {
    for await (const entry of readTar(pieces)) {
      if (entry.name !== backupListName) {
        received.push(await storeFile(entry.name, entry.read(), storage, onBytes))
        continue
      }
      const text = await wholeText(entry)
      const list = parseBackupList(text)
      checkList(list, received)
      await storage.createIfAbsent(backupListName, [Buffer.from(text, 'utf8')])
      return list
    }
    throw new LsmtError('XX001', `the archive has no ${backupListName}: it is not complete`)
  } catch (error) {
    for (const { name } of received) await storage.delete(name)
    throw error
  }
}

/** Stores a file under its name, which is checked by the storage, and sums it up. */
export async function storeFile(name: string, pieces: AsyncIterable<Uint8Array>, storage: Storage, onBytes: (byteLength: number) => void): Promise<BackupFile> {
  const writer = await storage.create(name)
  const sum = createHash('sha256')
  let byteLength = 0
  try {
    for await (const piece of pieces) {
      sum.update(piece)
      byteLength += piece.length
      await writer.append(piece)
      onBytes(piece.length)
    }
    await writer.publish()
  } catch (error) {
    await writer.abort()
    throw error
  }
  return { name, byteLength, sha256: sum.digest('hex') }
}

/** A list has about 200 bytes a file. */
export const listBytesMax = 256 * 1024 * 1024

async function wholeText(entry: TarEntry): Promise<string> {
  if (entry.byteLength > listBytesMax) throw new LsmtError('54000', `${entry.name} has ${entry.byteLength} bytes, at most ${listBytesMax} are read`)
  const parts: Uint8Array[] = []
  for await (const piece of entry.read()) parts.push(piece)
  return Buffer.concat(parts).toString('utf8')
}

function checkList({ files }: BackupList, received: readonly BackupFile[]): void {
  if (files.length !== received.length) throw new LsmtError('XX001', `the archive has ${received.length} files, its list names ${files.length}`)
  for (const [index, file] of files.entries()) checkFile(file, received[index]!)
}

/** XX001 when a file is not the one that was listed. */
export function checkFile(listed: BackupFile, found: BackupFile): void {
  if (listed.name === found.name && listed.byteLength === found.byteLength && listed.sha256 === found.sha256) return
  throw new LsmtError('XX001', `${listed.name} is damaged: expected ${listed.byteLength} bytes of SHA-256 ${listed.sha256}, found ${found.name} of ${found.byteLength} bytes, ${found.sha256}`, { file: listed.name, expected: listed.sha256, actual: found.sha256 })
}
