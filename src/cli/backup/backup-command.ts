/** `lsmt backup`: a consistent copy of a database, of a server that goes on writing or of a directory, verified after. */
import { Argument } from 'commander'
import { LsmtError } from '../../errors.ts'
import { backupArchive, totalBytes } from '../../http/backup/archive.ts'
import type { BackupList } from '../../http/backup/archive.ts'
import type { KernelKind } from '../../settings.ts'
import { isEmptyDirectory } from '../../storage/local-probe.ts'
import { openLocalStorage } from '../../storage/local-storage.ts'
import type { Storage } from '../../storage/storage.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import type { CliHost } from '../host.ts'
import { cancelOnStop } from '../stop.ts'
import { jsonOption } from '../switches.ts'
import { openDirectory } from '../target/directory-connection.ts'
import { serverWithToken } from '../target/open-target.ts'
import { chosenUrl, targetOptions } from '../target/target-options.ts'
import type { TargetFlags } from '../target/target-options.ts'
import { startProgress } from '../transfer/progress.ts'
import { verifyStorage } from '../verify.ts'
import { archiveLabel } from './archive-label.ts'
import { receiveArchive } from './receive-archive.ts'

interface BackupFlags extends TargetFlags {
  readonly json?: boolean
}

export function addBackup(floor: CommandFloor): void {
  addCommand<BackupFlags>(floor, {
    name: 'backup',
    arguments: [new Argument('<folder>', 'where the backup goes; must be empty or absent')],
    description: 'copy a database as it is at one moment, while writes go on, into a folder of its own, and verify the copy',
    options: [...targetOptions(), jsonOption( 'tell the outcome as JSON')],
    examples: ['lsmt backup backups/monday --url http://127.0.0.1:8080', 'lsmt backup backups/monday --data-dir ./data'],
    run: (flags, [folder], sourceOf) => runBackup(flags, folder!, sourceOf, floor.host),
  })
}

async function runBackup(flags: BackupFlags, folder: string, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  if (!(await isEmptyDirectory(folder))) throw new LsmtError('58030', `${folder} is not empty`, { hint: 'a backup has a folder of its own' })
  const url = chosenUrl(flags, sourceOf)
  const list = url === undefined ? await backupDirectory(flags, folder, host) : await backupServer(url, flags, folder, host)
  const bytes = totalBytes(list.files)
  if (flags.json === true) host.printLine(JSON.stringify({ folder, files: list.files.length, bytes, createdAt: list.createdAt }))
  else host.printLine(`${list.files.length} files, ${bytes} bytes, written to ${folder} and verified`)
  return exitCode.ok
}

async function backupServer(url: string, flags: BackupFlags, folder: string, host: CliHost): Promise<BackupList> {
  const server = await serverWithToken(url, flags, host)
  const response = await server.request('/backup', {}, cancelOnStop(host))
  return await receive(response.body as unknown as AsyncIterable<Uint8Array>, 0, folder, flags.kernels, host)
}

async function backupDirectory(flags: BackupFlags, folder: string, host: CliHost): Promise<BackupList> {
  const connection = await openDirectory(flags, host)
  try {
    const checkpoint = await connection.engine.checkpoint()
    const total = totalBytes(checkpoint.files)
    return await receive(backupArchive(checkpoint, archiveLabel(host)), total, folder, flags.kernels, host)
  } finally {
    await connection.close()
  }
}

async function receive(archive: AsyncIterable<Uint8Array>, total: number, folder: string, kernels: KernelKind, host: CliHost): Promise<BackupList> {
  const storage = await openLocalStorage(folder)
  const progress = startProgress(host.terminal.error, host.clock, total, 'bytes')
  let done = 0
  try {
    const list = await receiveArchive(archive, storage, (byteLength) => progress.update((done += byteLength)))
    progress.stop()
    await assertSound(storage, kernels, 'the backup')
    return list
  } finally {
    progress.stop()
    await storage.close()
  }
}

/** XX001 with the first finding when the files are not those of a sound database. */
export async function assertSound(storage: Storage, kernels: KernelKind, what: string): Promise<void> {
  let first: string | undefined
  const { findings } = await verifyStorage(storage, kernels, ({ file, message }) => {
    first ??= `${file}: ${message}`
  })
  if (first !== undefined) throw new LsmtError('XX001', `${what} was verified and is damaged, ${findings} findings; the first is ${first}`)
}
