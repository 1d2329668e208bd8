/** What a store takes of disk and memory. */
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bytesOnDisk } from '../peers/peer.ts'
import type { KeyValuePeer } from '../peers/key-value/store.ts'
import { answerHash, assertEqualAnswers, measured } from '../harness.ts'
import type { Measurement } from '../harness.ts'

/** Of each contestant in a process of its own, with as many entries; the time is that of the process's work, by entry. */
export async function footprints(bench: string, peers: readonly KeyValuePeer[], root: string, count: number): Promise<readonly Measurement[]> {
  const found: Measurement[] = []
  for (const { name } of peers) {
    const directory = mkdtempSync(join(root, 'footprint-'))
    const script = fileURLToPath(new URL('fill-and-read.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, name, directory, String(count)])
    const { elapsedMs, answer, peakMemoryBytes } = JSON.parse(stdout.trim().split('\n').at(-1)!) as Life
    found.push({ ...measured(bench, name, [elapsedMs * 1e6], count, answerHash(answer)), peakMemoryBytes, diskBytes: bytesOnDisk(directory) })
  }
  assertEqualAnswers(bench, found.map(({ contestant }) => contestant), found.map((each) => each.answerHash))
  return found
}

/** What a process prints of its work. */
export interface Life {
  readonly elapsedMs: number
  readonly answer: string
  readonly peakMemoryBytes: number
}
