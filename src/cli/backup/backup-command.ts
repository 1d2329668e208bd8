/** `lsmt backup`: a consistent copy of a database, of a server that goes on writing or of one that nobody has open, verified after. */
import { resolve, sep } from 'node:path'
import { Argument } from 'commander'
import { LsmtError } from '../../errors.ts'
import { backupArchive, totalBytes } from '../../http/backup/archive.ts'
import type { BackupList } from '../../http/backup/archive.ts'
import type { KernelKind } from '../../settings.ts'
import { addressName, withStorage } from '../../storage/open-storage.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import type { CliHost } from '../host.ts'
import { cancelOnStop } from '../stop.ts'
import { jsonOption } from '../switches.ts'
import { openHere } from '../target/engine-connection.ts'
import { serverWithToken } from '../target/open-target.ts'
import { addressOf, besideStore, chosenAddress } from '../target/storage-flags.ts'
import type { PlaceAddress } from '../target/storage-flags.ts'
import { chosenUrl, targetOptions } from '../target/target-options.ts'
import type { TargetFlags } from '../target/target-options.ts'
import { startProgress } from '../transfer/progress.ts'
import { archiveLabel } from './archive-label.ts'
import { assertEmpty, assertSound } from './copy-target.ts'
import { receiveArchive } from './receive-archive.ts'

interface BackupFlags extends TargetFlags {
  readonly json?: boolean
}

export function addBackup(floor: CommandFloor): void {
  addCommand<BackupFlags>(floor, {
    name: 'backup',
    arguments: [new Argument('<place>', 'where the backup goes: a folder, or s3://bucket/prefix; must be empty or absent')],
    description: 'copy a database as it is at one moment, while writes go on, to a place of its own, and verify the copy',
    options: [...targetOptions(), jsonOption('tell the outcome as JSON')],
    examples: ['lsmt backup backups/monday --url http://127.0.0.1:8080', 'lsmt backup s3://my-backups/monday --data-dir ./data', 'lsmt backup backups/monday --storage s3 --bucket my-bucket'],
    run: (flags, [place], sourceOf) => runBackup(flags, place!, sourceOf, floor.host),
  })
}

async function runBackup(flags: BackupFlags, place: string, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  const target = addressOf(place, flags)
  await assertEmpty(target, 'a backup has a place of its own')
  const url = chosenUrl(flags, sourceOf)
  const list = url === undefined ? await backupHere(flags, besideStore(target, sourceOf), target, host) : await backupServer(url, flags, target, host)
  const bytes = totalBytes(list.files), name = addressName(target)
  if (flags.json === true) host.printLine(JSON.stringify({ folder: name, files: list.files.length, bytes, createdAt: list.createdAt }))
  else host.printLine(`${list.files.length} files, ${bytes} bytes, written to ${name} and verified`)
  return exitCode.ok
}

async function backupServer(url: string, flags: BackupFlags, target: PlaceAddress, host: CliHost): Promise<BackupList> {
  const server = await serverWithToken(url, flags, host)
  const response = await server.request('/backup', {}, cancelOnStop(host))
  return await receive(response.body as unknown as AsyncIterable<Uint8Array>, 0, target, flags.kernels, host)
}

async function backupHere(flags: BackupFlags, sourceOf: (flag: string) => FlagSource, target: PlaceAddress, host: CliHost): Promise<BackupList> {
  assertOutside(chosenAddress(flags, sourceOf), target)
  const connection = await openHere(flags, sourceOf, host)
  try {
    const checkpoint = await connection.engine.checkpoint()
    const total = totalBytes(checkpoint.files)
    return await receive(backupArchive(checkpoint, archiveLabel(host)), total, target, flags.kernels, host)
  } finally {
    await connection.close()
  }
}

/** 22023 for a folder of the database itself: it is lost with it, and some of these are emptied when it is opened. */
function assertOutside(source: PlaceAddress, target: PlaceAddress): void {
  if (source.kind !== 'local' || target.kind !== 'local' || !resolve(target.directory).startsWith(`${resolve(source.directory)}${sep}`)) return
  throw new LsmtError('22023', `${target.directory} is within ${source.directory}, which is to be copied`, { hint: 'a backup has a place of its own' })
}

async function receive(archive: AsyncIterable<Uint8Array>, total: number, target: PlaceAddress, kernels: KernelKind, host: CliHost): Promise<BackupList> {
  const progress = startProgress(host.terminal.error, host.clock, total, 'bytes')
  let done = 0
  try {
    return await withStorage(target, 'write', async (storage) => {
      const list = await receiveArchive(archive, storage, (byteLength) => progress.update((done += byteLength)))
      progress.stop()
      await assertSound(storage, list, kernels, 'the backup')
      return list
    })
  } finally {
    progress.stop()
  }
}
