/** `lsmt restore`: a backup into a new directory, every file checked by its sum, the whole verified after. */
import { join } from 'node:path'
import { Argument } from 'commander'
import { formatFileName } from '../../engine/shards/format-file.ts'
import { LsmtError } from '../../errors.ts'
import { backupListName, parseBackupList, totalBytes } from '../../http/backup/archive.ts'
import type { BackupList } from '../../http/backup/archive.ts'
import type { KernelKind } from '../../settings.ts'
import { openPlainFile } from '../../storage/local/plain-file.ts'
import { isEmptyDirectory } from '../../storage/local-probe.ts'
import { openLocalStorage } from '../../storage/local-storage.ts'
import { readSmallFile } from '../../storage/small-file.ts'
import { checkedName } from '../../storage/storage-name.ts'
import type { Storage } from '../../storage/storage.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { dataDirOption, kernelsOption } from '../flags.ts'
import type { CliHost } from '../host.ts'
import { jsonOption } from '../switches.ts'
import { startProgress } from '../transfer/progress.ts'
import { assertSound } from './backup-command.ts'
import { checkFile, listBytesMax, storeFile } from './receive-archive.ts'

interface RestoreFlags {
  readonly dataDir: string
  readonly kernels: KernelKind
  readonly json?: boolean
}

export function addRestore(floor: CommandFloor): void {
  addCommand<RestoreFlags>(floor, {
    name: 'restore',
    arguments: [new Argument('<folder>', 'a backup that lsmt backup made')],
    description: 'make a database of a backup, in a directory that is empty or absent, and verify it',
    options: [dataDirOption(), kernelsOption(), jsonOption( 'tell the outcome as JSON')],
    examples: ['lsmt restore backups/monday --data-dir ./restored'],
    run: (flags, [folder]) => runRestore(flags, folder!, floor.host),
  })
}

async function runRestore({ dataDir, kernels, json }: RestoreFlags, folder: string, host: CliHost): Promise<ExitCode> {
  const list = parseBackupList((await readList(folder)).toString('utf8'))
  if (!(await isEmptyDirectory(dataDir))) throw new LsmtError('58030', `${dataDir} is not empty: nothing is restored over what is there`, { hint: 'give another --data-dir' })
  const storage = await openLocalStorage(dataDir)
  try {
    await copyFiles(list, folder, storage, host)
    await assertSound(storage, kernels, 'what was restored')
  } finally {
    await storage.close()
  }
  const bytes = totalBytes(list.files)
  if (json === true) host.printLine(JSON.stringify({ dataDir, files: list.files.length, bytes, createdAt: list.createdAt }))
  else host.printLine(`${list.files.length} files, ${bytes} bytes of the backup of ${list.createdAt} restored to ${dataDir} and verified`)
  return exitCode.ok
}

async function readList(folder: string): Promise<Buffer> {
  try {
    return await readSmallFile(join(folder, backupListName), listBytesMax)
  } catch (error) {
    if (!(error instanceof LsmtError) || error.code !== '58P01') throw error
    throw new LsmtError('58P01', `${folder} is no complete backup: there is no ${backupListName} in it`, {}, error)
  }
}

/** The format last: without it there is no database that anybody could open half-way. Nothing stays after a failure. */
async function copyFiles({ files }: BackupList, folder: string, storage: Storage, host: CliHost): Promise<void> {
  const progress = startProgress(host.terminal.error, host.clock, totalBytes(files), 'bytes')
  const stored: string[] = []
  let done = 0
  try {
    for (const file of files.toSorted((a, b) => Number(a.name === formatFileName) - Number(b.name === formatFileName))) {
      const source = await openPlainFile(join(folder, checkedName(file.name)))
      stored.push(file.name)
      checkFile(file, await storeFile(file.name, source.read(), storage, (byteLength) => progress.update((done += byteLength))))
    }
  } catch (error) {
    for (const name of stored) await storage.delete(name)
    throw error
  } finally {
    progress.stop()
  }
}
