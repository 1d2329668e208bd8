/** `lsmt repair`: takes out of a closed database what cannot be read, says exactly what that was, and opens what is left. */
import type { TableSchema } from '../../engine/schema.ts'
import type { Loss } from '../../engine/repair/loss.ts'
import { repairDatabase } from '../../engine/repair/repair-database.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import { defaultDatabaseSettings } from '../../settings.ts'
import type { KernelKind } from '../../settings.ts'
import { addressName, openStorage } from '../../storage/open-storage.ts'
import { LsmtError } from '../../errors.ts'
import { isEmptyDirectory } from '../../storage/local-probe.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { kernelsOption } from '../flags.ts'
import type { CliHost } from '../host.ts'
import { jsonOption } from '../switches.ts'
import { openFileKernel } from '../target/file-kernel.ts'
import { chosenAddress, storageOptions, takeOverOption } from '../target/storage-flags.ts'
import type { PlaceAddress, StorageFlags } from '../target/storage-flags.ts'
import { lossText } from './loss-text.ts'

interface RepairFlags extends StorageFlags {
  readonly kernels: KernelKind
  readonly takeOver?: boolean
  readonly json?: boolean
}

export function addRepair(floor: CommandFloor): void {
  addCommand<RepairFlags>(floor, {
    name: 'repair',
    description: 'take what cannot be read out of a database that no process has open, into its folder quarantine/, and say what is lost',
    options: [...storageOptions(), takeOverOption(), kernelsOption(), jsonOption('tell the losses as JSON')],
    examples: ['cp -r data data-before && lsmt repair --data-dir ./data', 'lsmt repair --storage s3 --bucket my-bucket --take-over'],
    run: (flags, _args, sourceOf) => repair(flags, sourceOf, floor.host),
  })
}

/** Damage that was found is exit code 4, as of verify, although it is taken care of. */
async function repair(flags: RepairFlags, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  const { kernels, json, takeOver } = flags
  const address = chosenAddress(flags, sourceOf)
  // Its format file may be what is damaged, so that is not what tells a database here.
  if (address.kind === 'local' && (await isEmptyDirectory(address.directory))) throw new LsmtError('58P01', `there is no database in ${addressName(address)}`)
  const losses = await takeOut(address, kernels, takeOver === true)
  const tables = losses.length === 0 ? [] : await tablesLeft(address, kernels, host)
  if (json === true) host.printLine(JSON.stringify({ losses: losses.map((loss) => jsonLoss(loss, tables)) }))
  else tell(losses, tables, host)
  return losses.length === 0 ? exitCode.ok : exitCode.damaged
}

async function takeOut(address: PlaceAddress, kernels: KernelKind, mayTakeOver: boolean): Promise<readonly Loss[]> {
  const storage = await openStorage(address)
  try {
    const kernel = openFileKernel(kernels)
    const losses: Loss[] = []
    for await (const loss of repairDatabase({ storage, kernel, clock: systemClock, random: systemRandom, mayTakeOver })) losses.push(loss)
    return losses
  } finally {
    await storage.close()
  }
}

/** Opening what is left aborts half statements, and shows that it can be opened. */
async function tablesLeft(address: PlaceAddress, kernels: KernelKind, host: CliHost): Promise<readonly TableSchema[]> {
  const engine = await host.openEngine({ address, settings: { ...defaultDatabaseSettings, kernels }, isShardCountGiven: false })
  const tables = engine.tables()
  await engine.close()
  return tables
}

function tell(losses: readonly Loss[], tables: readonly TableSchema[], host: CliHost): void {
  for (const loss of losses) for (const line of lossText(loss, tables)) host.printLine(line)
  host.printLine(losses.length === 0 ? 'nothing had to be repaired' : `${losses.length} repairs; the database opens again, without what is told above`)
}

function jsonLoss(loss: Loss, tables: readonly TableSchema[]): unknown {
  if (loss.kind !== 'tableFile' || loss.contents === undefined) return loss
  const { contents } = loss
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  return { ...loss, contents: { ...contents, table: tables.find(({ tableId }) => tableId === contents.tableId)?.name, minKey: hex(contents.minKey), maxKey: hex(contents.maxKey) } }
}
