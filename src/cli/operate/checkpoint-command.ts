/** `lsmt checkpoint`: states of a database in a bucket that stay readable while it goes on being written. */
import { Argument, Option } from 'commander'
import { readFormat } from '../../engine/shards/format-file.ts'
import { LsmtError } from '../../errors.ts'
import { deleteCheckpoint, listCheckpoints } from '../../lsm/pins/checkpoints.ts'
import type { ListedCheckpoint } from '../../lsm/pins/checkpoints.ts'
import type { KernelKind } from '../../settings.ts'
import { addressName, withStorage } from '../../storage/open-storage.ts'
import type { S3Address } from '../../storage/s3/s3-address.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { integerIn, kernelsOption, variableOf } from '../flags.ts'
import type { CliHost } from '../host.ts'
import { jsonOption } from '../switches.ts'
import { openHere } from '../target/engine-connection.ts'
import { openFileKernel } from '../target/file-kernel.ts'
import { chosenAddress, guestOptions } from '../target/storage-flags.ts'
import type { GuestFlags } from '../target/storage-flags.ts'

interface CheckpointFlags extends GuestFlags {
  readonly kernels: KernelKind
  readonly label?: string
  readonly keepHours?: number
  readonly json?: boolean
}

export function addCheckpoint(floor: CommandFloor): void {
  addCommand<CheckpointFlags>(floor, {
    name: 'checkpoint',
    arguments: [new Argument('<action>', 'create opens the database as its writer, which no server may be then; list and delete work beside one').choices(['create', 'list', 'delete']), new Argument('[id]', 'of the checkpoint to delete')],
    description: 'keep a state of a database in a bucket: its files stay, whatever is written after it, for serve, sql and export --at-checkpoint',
    options: [
      ...guestOptions(), kernelsOption(),
      new Option('--label <text>', 'name of a new checkpoint, for people').env(variableOf('checkpoint-label')),
      new Option('--keep-hours <n>', 'for how long a new checkpoint is kept; without it, until it is deleted').env(variableOf('checkpoint-keep-hours')).argParser(integerIn(1, 1_000_000)),
      jsonOption('tell the outcome as JSON'),
    ],
    examples: ['lsmt checkpoint create --storage s3 --bucket my-bucket --label before-migration', 'lsmt checkpoint list --storage s3 --bucket my-bucket'],
    run: (flags, [action, id], sourceOf) => runCheckpoint(flags, action!, id, sourceOf, floor.host),
  })
}

async function runCheckpoint(flags: CheckpointFlags, action: string, id: string | undefined, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  const address = chosenAddress(flags, sourceOf)
  if (address.kind === 'local') throw new LsmtError('0A000', `checkpoints of a directory are not supported: ${addressName(address)} belongs to the process that has it open`, { hint: 'lsmt backup copies a state of it' })
  if ((id !== undefined) !== (action === 'delete')) throw new LsmtError('22023', action === 'delete' ? 'checkpoint delete needs the id of a checkpoint' : `checkpoint ${action} takes no id`)
  switch (action) {
    case 'create':
      return await createCheckpoint(flags, sourceOf, host)
    case 'list':
      return await tellCheckpoints(flags, address, host)
    default:
      await withStorage(address, 'write', (storage) => deleteCheckpoint(storage, id!))
      return tell(flags, { deleted: id }, [`checkpoint ${id} deleted; its files go when the writer, or lsmt gc, looks next`], host)
  }
}

async function createCheckpoint(flags: CheckpointFlags, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  const { engine, close } = await openHere(flags, sourceOf, host)
  try {
    const { label = '', keepHours } = flags
    const id = await engine.storeCheckpoint({ name: label, ...(keepHours !== undefined && { keepMs: keepHours * 3_600_000 }) })
    return tell(flags, { id, name: label }, [id], host)
  } finally {
    await close()
  }
}

async function tellCheckpoints(flags: CheckpointFlags, address: S3Address, host: CliHost): Promise<ExitCode> {
  const listed = await withStorage(address, 'read', async (storage) => {
    const kernel = openFileKernel(flags.kernels)
    await readFormat(storage, kernel)
    return await listCheckpoints(storage, kernel)
  })
  const told = listed.map(describe)
  return tell(flags, told, told.map(({ id, name, createdAt, expiresAt, files }) => `${id}  ${createdAt}  ${files} files  ${expiresAt === null ? 'stays' : `until ${expiresAt}`}  ${name}`), host)
}

function describe({ id, checkpoint: { name, createdAtMicros, expiresAtMicros, manifests } }: ListedCheckpoint) {
  const at = (micros: number): string => new Date(micros / 1000).toISOString()
  const metas = manifests.flatMap(({ tables }) => tables.flatMap(({ levels }) => levels.flat()))
  return { id, name, createdAt: at(createdAtMicros), expiresAt: expiresAtMicros === undefined ? null : at(expiresAtMicros), files: metas.length, bytes: metas.reduce((sum, { byteLength }) => sum + byteLength, 0) }
}

function tell({ json }: CheckpointFlags, value: unknown, lines: readonly string[], host: CliHost): ExitCode {
  if (json === true) host.printLine(JSON.stringify(value))
  else for (const line of lines) host.printLine(line)
  return exitCode.ok
}
