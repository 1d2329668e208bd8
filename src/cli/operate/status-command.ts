/** `lsmt status`: how a server or a database is doing. */
import { addCommand } from '../command.ts'
import type { CommandFloor, FlagSource } from '../command.ts'
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import type { CliHost } from '../host.ts'
import { jsonOption } from '../switches.ts'
import { withTarget } from '../target/open-target.ts'
import { targetOptions } from '../target/target-options.ts'
import type { TargetFlags } from '../target/target-options.ts'
import { createTableView } from '../sql-shell/table-view.ts'
import type { JsonValue } from '../sql-shell/table-view.ts'

interface StatusFlags extends TargetFlags {
  readonly json?: boolean
}

export function addStatus(floor: CommandFloor): void {
  addCommand<StatusFlags>(floor, {
    name: 'status',
    description: 'tables, shards, levels and sizes of a server, or of a database that no process has open',
    options: [...targetOptions(), jsonOption('all of it as JSON')],
    examples: ['lsmt status --url http://127.0.0.1:8080'],
    run: (flags, _args, sourceOf) => status(flags, sourceOf, floor.host),
  })
}

/** What is shown of GET /status. */
interface Status {
  readonly version: string
  /** Why nothing can be written just now. */
  readonly readOnly: string | null
  readonly tables: readonly { readonly name: string; readonly columns: number }[]
  readonly shards: readonly ShardStatus[]
}

interface ShardStatus {
  readonly memtableBytes: number
  readonly levels: readonly { readonly files: number; readonly bytes: number }[]
  readonly flushes: number
  readonly compactions: number
  readonly stall: string
  readonly failure: string | null
  readonly background: string | null
}

async function status(flags: StatusFlags, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  return await withTarget(flags, sourceOf, host, async (connection) => {
    const told = (await connection.status()) as unknown as Status
    if (flags.json === true) host.printLine(JSON.stringify(told))
    else host.printLine(statusText(connection.name, told))
    return told.shards.some(({ failure }) => failure !== null) ? exitCode.failed : exitCode.ok
  })
}

const columns = ['shard', 'memtable bytes', 'files', 'bytes', 'levels', 'flushes', 'compactions'].map((name) => ({ name, type: 'BIGINT' }))

function statusText(name: string, { version, readOnly, tables, shards }: Status): string {
  const view = createTableView([...columns, { name: 'stall', type: 'TEXT' }])
  for (const [index, shard] of shards.entries()) view.add(rowOf(index, shard))
  const troubles = shards.flatMap(({ failure, background }, index) => [failure, background].filter((each) => each !== null).map((each) => `shard ${index}: ${each}`))
  const tableList = tables.map((table) => `${table.name} (${table.columns} columns)`).join(', ')
  return [`${name}: lsmt ${version}, ${tables.length} tables: ${tableList}`, view.end().trimEnd(), ...(readOnly === null ? [] : [`read-only: ${readOnly}`]), ...troubles].join('\n')
}

function rowOf(index: number, { memtableBytes, levels, flushes, compactions, stall }: ShardStatus): readonly JsonValue[] {
  const sum = (field: 'files' | 'bytes'): number => levels.reduce((total, level) => total + level[field], 0)
  return [index, memtableBytes, sum('files'), sum('bytes'), levels.filter(({ files }) => files > 0).length, flushes, compactions, stall]
}
