/** `lsmt restore`: a backup into a new directory or bucket, every file checked by its sum, the whole verified after. */
import { Argument } from 'commander'
import { formatFileName } from '../../engine/shards/format-file.ts'
import { totalBytes } from '../../http/backup/archive.ts'
import type { KernelKind } from '../../settings.ts'
import { addressName, withStorage } from '../../storage/open-storage.ts'
import type { Storage } from '../../storage/storage.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { kernelsOption } from '../flags.ts'
import type { CliHost } from '../host.ts'
import { jsonOption } from '../switches.ts'
import { addressOf, besideStore, chosenAddress, storageOptions } from '../target/storage-flags.ts'
import type { StorageFlags } from '../target/storage-flags.ts'
import { startProgress } from '../transfer/progress.ts'
import { openBackup } from './backup-source.ts'
import type { BackupSource } from './backup-source.ts'
import { assertEmpty, assertSound } from './copy-target.ts'
import { checkFile, storeFile } from './receive-archive.ts'

interface RestoreFlags extends StorageFlags {
  readonly kernels: KernelKind
  readonly json?: boolean
}

export function addRestore(floor: CommandFloor): void {
  addCommand<RestoreFlags>(floor, {
    name: 'restore',
    arguments: [new Argument('<place>', 'a backup that lsmt backup made: a folder, or s3://bucket/prefix')],
    description: 'make a database of a backup, in a directory or bucket where nothing is yet, and verify it',
    options: [...storageOptions(), kernelsOption(), jsonOption('tell the outcome as JSON')],
    examples: ['lsmt restore backups/monday --data-dir ./restored', 'lsmt restore backups/monday --storage s3 --bucket my-bucket', 'lsmt restore s3://my-backups/monday --data-dir ./restored'],
    run: (flags, [place], sourceOf) => runRestore(flags, place!, sourceOf, floor.host),
  })
}

async function runRestore(flags: RestoreFlags, place: string, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  const source = addressOf(place, flags)
  const target = chosenAddress(flags, besideStore(source, sourceOf))
  const backup = await openBackup(source)
  const { list } = backup
  try {
    await assertEmpty(target, 'nothing is restored over what is there: give another --data-dir, or --bucket or --prefix')
    await withStorage(target, 'write', async (storage) => {
      await copyFiles(backup, storage, host)
      await assertSound(storage, list, flags.kernels, 'what was restored')
    })
  } finally {
    await backup.close()
  }
  const bytes = totalBytes(list.files), name = addressName(target)
  if (flags.json === true) host.printLine(JSON.stringify({ dataDir: name, files: list.files.length, bytes, createdAt: list.createdAt }))
  else host.printLine(`${list.files.length} files, ${bytes} bytes of the backup of ${list.createdAt} restored to ${name} and verified`)
  return exitCode.ok
}

/** The format last: without it there is no database that anybody could open half-way. Nothing stays after a failure. */
async function copyFiles({ list: { files }, read }: BackupSource, storage: Storage, host: CliHost): Promise<void> {
  const progress = startProgress(host.terminal.error, host.clock, totalBytes(files), 'bytes')
  const stored: string[] = []
  let done = 0
  try {
    for (const file of files.toSorted((a, b) => Number(a.name === formatFileName) - Number(b.name === formatFileName))) {
      const found = await storeFile(file.name, await read(file), storage, (byteLength) => progress.update((done += byteLength)))
      // Not before: what somebody else has created meanwhile is not ours to delete.
      stored.push(file.name)
      checkFile(file, found)
    }
  } catch (error) {
    for (const name of stored) await storage.delete(name)
    throw error
  } finally {
    progress.stop()
  }
}
