/** `lsmt verify`: checks every file of a database and prints what is wrong, one line for each finding. */
import { formatFileName } from '../engine/shards/format-file.ts'
import { verifyDatabase } from '../engine/shards/verify-database.ts'
import { LsmtError } from '../errors.ts'
import { reserveLinearMemory } from '../kernel/linear-memory.ts'
import { openKernel } from '../kernel/open-kernel.ts'
import { defaultDatabaseSettings } from '../settings.ts'
import type { KernelKind } from '../settings.ts'
import { holdsObject } from '../storage/local-probe.ts'
import { openLocalStorage } from '../storage/local-storage.ts'
import type { CliHost } from './host.ts'

export interface VerifyFlags {
  readonly dataDir: string
  readonly kernels: KernelKind
}

/** Resolves to the number of findings. 58P01 when there is no database, 55006 when a process has it open. */
export async function verify({ dataDir, kernels }: VerifyFlags, host: CliHost): Promise<number> {
  // Opening makes a directory where there is none; looking for damage should not.
  if (!(await holdsObject(dataDir, formatFileName))) throw new LsmtError('58P01', `there is no database in ${dataDir}`)
  const storage = await openLocalStorage(dataDir)
  try {
    const kernel = openKernel(kernels, reserveLinearMemory(defaultDatabaseSettings.kernelMemoryBytes))
    const walk = verifyDatabase(storage, kernel)
    let step = await walk.next()
    for (; step.done !== true; step = await walk.next()) {
      const { code, file, message } = step.value
      host.printLine(`${code} ${file}: ${message}`)
    }
    const { findings, shards, manifests, tables, logRecords, tornTails } = step.value
    for (const { file, byteOffset, bytesDropped } of tornTails) host.printLine(`note ${file}: torn tail of ${bytesDropped} bytes from byte ${byteOffset} on, never acknowledged; the next opening cuts it there`)
    const seen = `${shards} shards, ${manifests} manifests, ${tables} tables, ${logRecords} log records`
    host.printLine(findings === 0 ? `no damage found in ${seen}` : `${findings} findings in ${seen}`)
    return findings
  } finally {
    await storage.close()
  }
}
