/** `lsmt verify`: checks every file of a database and prints what is wrong, one line for each finding. */
import { verifyDatabase } from '../engine/shards/verify-database.ts'
import type { VerifyCounts } from '../engine/shards/verify-database.ts'
import type { Finding } from '../lsm/table/verify-table.ts'
import type { KernelKind } from '../settings.ts'
import { openStorage } from '../storage/open-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { addCommand } from './command.ts'
import type { CommandFloor, FlagSource } from './command.ts'
import { exitCode } from './exit-code.ts'
import type { ExitCode } from './exit-code.ts'
import { kernelsOption } from './flags.ts'
import type { CliHost } from './host.ts'
import { jsonOption } from './switches.ts'
import { openFileKernel } from './target/file-kernel.ts'
import { openExisting } from './target/engine-connection.ts'
import { chosenAddress, storageOptions } from './target/storage-flags.ts'
import type { StorageFlags } from './target/storage-flags.ts'

interface VerifyFlags extends StorageFlags {
  readonly kernels: KernelKind
  readonly json?: boolean
}

export function addVerify(floor: CommandFloor): void {
  addCommand<VerifyFlags>(floor, {
    name: 'verify',
    description: 'check every file of a database that no process has open',
    options: [...storageOptions(), kernelsOption(), jsonOption('tell the outcome as JSON')],
    examples: ['lsmt verify --data-dir ./data'],
    run: (flags, _args, sourceOf) => verify(flags, sourceOf, floor.host),
  })
}

/** 58P01 when there is no database, 55006 when a process has it open. */
async function verify(flags: VerifyFlags, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<ExitCode> {
  const { kernels, json } = flags
  const address = chosenAddress(flags, sourceOf)
  const storage = await openExisting(address, () => openStorage(address, 'read'))
  try {
    const findings: Finding[] = []
    const counts = await verifyStorage(storage, kernels, (finding) => {
      findings.push(finding)
      if (json !== true) host.printLine(`${finding.code} ${finding.file}: ${finding.message}`)
    })
    if (json === true) host.printLine(JSON.stringify({ ...counts, findings }))
    else tell(counts, host)
    return findings.length === 0 ? exitCode.ok : exitCode.damaged
  } finally {
    await storage.close()
  }
}

function tell({ findings, shards, manifests, tables, logRecords, tornTails }: VerifyCounts, host: CliHost): void {
  for (const { file, byteOffset, bytesDropped } of tornTails) host.printLine(`note ${file}: torn tail of ${bytesDropped} bytes from byte ${byteOffset} on, never acknowledged; the next opening cuts it there`)
  const seen = `${shards} shards, ${manifests} manifests, ${tables} tables, ${logRecords} log records`
  host.printLine(findings === 0 ? `no damage found in ${seen}` : `${findings} findings in ${seen} (lsmt repair keeps what can be read)`)
}

/** Checks all that is stored; `onFinding` is told as it goes. */
export async function verifyStorage(storage: Storage, kernels: KernelKind, onFinding: (finding: Finding) => void): Promise<VerifyCounts> {
  const kernel = openFileKernel(kernels)
  const walk = verifyDatabase(storage, kernel)
  let step = await walk.next()
  for (; step.done !== true; step = await walk.next()) onFinding(step.value)
  return step.value
}
