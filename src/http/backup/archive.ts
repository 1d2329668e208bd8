/**
 * A backup as a tar archive: the files of a checkpoint, and at the end `backup.json`, which lists them with their SHA-256
 * sums. An archive without it is not complete, and nothing takes it for a backup.
 */
import { createHash } from 'node:crypto'
import type { Checkpoint } from '../../engine/engine-checkpoint.ts'
import { LsmtError } from '../../errors.ts'
import { tarEnd, tarHeader, tarPadding } from './tar.ts'

export const backupListName = 'backup.json'
const listVersion = 1

export interface BackupFile {
  readonly name: string
  readonly byteLength: number
  /** Hexadecimal. */
  readonly sha256: string
}

export interface BackupList {
  readonly format: 'lsmt-backup'
  readonly version: number
  /** Of lsmt, which wrote it. */
  readonly lsmtVersion: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly files: readonly BackupFile[]
}

export interface ArchiveLabel {
  readonly lsmtVersion: string
  readonly createdAt: string
}

/** Releases the checkpoint at its end, however it comes. */
export async function* backupArchive(checkpoint: Checkpoint, label: ArchiveLabel): AsyncGenerator<Uint8Array> {
  const files: BackupFile[] = []
  try {
    for (const { name, byteLength, read } of checkpoint.files) {
      const sum = createHash('sha256')
      yield tarHeader(name, byteLength)
      for await (const piece of read()) {
        sum.update(piece)
        yield piece
      }
      yield tarPadding(byteLength)
      files.push({ name, byteLength, sha256: sum.digest('hex') })
    }
    const list: BackupList = { format: 'lsmt-backup', version: listVersion, ...label, files }
    const bytes = Buffer.from(`${JSON.stringify(list, undefined, 1)}\n`, 'utf8')
    yield tarHeader(backupListName, bytes.length)
    yield bytes
    yield tarPadding(bytes.length)
    yield tarEnd
  } finally {
    checkpoint.release()
  }
}

export function totalBytes(files: readonly { readonly byteLength: number }[]): number {
  return files.reduce((sum, { byteLength }) => sum + byteLength, 0)
}

/** XX001 when it is none, XX002 when another version wrote it. */
export function parseBackupList(text: string): BackupList {
  let list: Partial<BackupList>
  try {
    list = JSON.parse(text) as Partial<BackupList>
  } catch (cause) {
    throw notAList(cause)
  }
  if (list.format !== 'lsmt-backup' || !Array.isArray(list.files) || !list.files.every(isFile)) throw notAList()
  if (list.version !== listVersion) throw new LsmtError('XX002', `the backup has version ${String(list.version)}; this version of lsmt reads ${listVersion}`, { file: backupListName })
  return list as BackupList
}

function isFile(file: unknown): boolean {
  const { name, byteLength, sha256 } = (file ?? {}) as Partial<Record<keyof BackupFile, unknown>>
  return typeof name === 'string' && typeof byteLength === 'number' && typeof sha256 === 'string'
}

function notAList(cause?: unknown): LsmtError {
  return new LsmtError('XX001', `${backupListName} does not list the files of a backup`, { file: backupListName }, cause)
}
