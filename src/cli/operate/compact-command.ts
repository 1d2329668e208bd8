/** `lsmt compact`: merges all files of a closed database into one run a table, so that deleted rows give their room back. */
import type { Engine } from '../../engine/engine.ts'
import type { KernelKind } from '../../settings.ts'
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { kernelsOption } from '../flags.ts'
import type { CliHost } from '../host.ts'
import { jsonOption } from '../switches.ts'
import { openHere } from '../target/engine-connection.ts'
import { guestOptions } from '../target/storage-flags.ts'
import type { GuestFlags } from '../target/storage-flags.ts'

interface CompactFlags extends GuestFlags {
  readonly kernels: KernelKind
  readonly json?: boolean
}

export function addCompact(floor: CommandFloor): void {
  addCommand<CompactFlags>(floor, {
    name: 'compact',
    description: 'merge all files of a database that no process has open; a server does what is needed by itself',
    options: [...guestOptions(), kernelsOption(), jsonOption('tell sizes as JSON')],
    examples: ['lsmt compact --data-dir ./data'],
    run: (flags, _args, sourceOf) => compact(flags, sourceOf, floor.host),
  })
}

async function compact(flags: CompactFlags, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  const { engine, close } = await openHere(flags, sourceOf, host)
  try {
    await engine.flush()
    const before = sizeOf(engine)
    await engine.compact()
    const after = sizeOf(engine)
    if (flags.json === true) host.printLine(JSON.stringify({ before, after }))
    else host.printLine(`${before.files} files of ${before.bytes} bytes became ${after.files} files of ${after.bytes} bytes`)
    return exitCode.ok
  } finally {
    await close()
  }
}

interface Size {
  readonly files: number
  readonly bytes: number
}

function sizeOf(engine: Engine): Size {
  const levels = engine.stats().shards.flatMap((shard) => shard.levels)
  return { files: levels.reduce((sum, { files }) => sum + files, 0), bytes: levels.reduce((sum, { bytes }) => sum + bytes, 0) }
}
