/** `lsmt gc`: deletes what nobody needs any more of a database in a bucket, also beside the server that writes it. */
import { readFormat } from '../../engine/shards/format-file.ts'
import { LsmtError } from '../../errors.ts'
import { findGarbage } from '../../lsm/garbage/find-garbage.ts'
import type { Garbage } from '../../lsm/garbage/find-garbage.ts'
import type { KernelKind } from '../../settings.ts'
import { addressName, withStorage } from '../../storage/open-storage.ts'
import type { Storage } from '../../storage/storage.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { kernelsOption } from '../flags.ts'
import type { CliHost } from '../host.ts'
import { jsonOption, switchOption } from '../switches.ts'
import { openFileKernel } from '../target/file-kernel.ts'
import { chosenAddress, storageOptions } from '../target/storage-flags.ts'
import type { StorageFlags } from '../target/storage-flags.ts'

interface GcFlags extends StorageFlags {
  readonly kernels: KernelKind
  readonly dryRun?: boolean
  readonly json?: boolean
}

export function addGc(floor: CommandFloor): void {
  addCommand<GcFlags>(floor, {
    name: 'gc',
    description: 'delete what nobody needs any more of a database in a bucket, also while a server writes it',
    options: [...storageOptions(), kernelsOption(), switchOption('--dry-run', 'delete nothing, tell what would be deleted and why', 'gc'), jsonOption('tell the outcome as JSON')],
    examples: ['lsmt gc --storage s3 --bucket my-bucket --dry-run', 'lsmt gc --storage s3 --bucket my-bucket'],
    run: (flags, _args, sourceOf) => collectGarbage(flags, sourceOf, floor.host),
  })
}

/** An upload that its writer may still go on with is younger, however slow it is. */
const abandonedMs = 24 * 3_600_000

async function collectGarbage(flags: GcFlags, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  const address = chosenAddress(flags, sourceOf)
  if (address.kind === 'local') throw new LsmtError('0A000', `${addressName(address)} is a directory: whoever opens it removes what nobody needs by itself`, { hint: 'gc is for databases in buckets: --storage s3 --bucket …' })
  const isDry = flags.dryRun === true
  const found = await withStorage(address, isDry ? 'read' : 'write', async (storage) => {
    const garbage = await everything(storage, flags.kernels, host)
    if (!isDry) for (const each of garbage) await each.drop()
    return garbage
  })
  tell(found.map(({ name, byteLength, why }) => ({ name, bytes: byteLength, why })), isDry, flags.json === true, host)
  return exitCode.ok
}

type Droppable = Garbage & { readonly drop: () => Promise<void> }

async function everything(storage: Storage, kernels: KernelKind, { clock }: CliHost): Promise<readonly Droppable[]> {
  const kernel = openFileKernel(kernels)
  const { shards } = await readFormat(storage, kernel)
  const garbage = await findGarbage({ storage, kernel, shards, nowMicros: Number(clock.wallMicros()) })
  const abandoned = (await storage.abandoned?.(abandonedMs)) ?? []
  return [...garbage.map((each) => ({ ...each, drop: () => storage.delete(each.name) })), ...abandoned]
}

interface ToldGarbage {
  readonly name: string
  readonly bytes: number
  readonly why: string
}

function tell(objects: readonly ToldGarbage[], isDry: boolean, asJson: boolean, host: CliHost): void {
  const bytes = objects.reduce((sum, each) => sum + each.bytes, 0)
  if (asJson) {
    host.printLine(JSON.stringify({ dryRun: isDry, objects, bytes }))
    return
  }
  for (const { name, bytes: byteLength, why } of objects) host.printLine(`${name}  ${byteLength} bytes  ${why}`)
  host.printLine(`${objects.length} objects, ${bytes} bytes${isDry ? ' would be deleted' : ' deleted'}`)
}

