/** What a store takes of disk and memory. */
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bytesOnDisk } from '../peers/peer.ts'
import type { KeyValuePeer } from '../peers/key-value/store.ts'
import type { BenchNote } from '../harness.ts'

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

/** Of each contestant in a process of its own, with as many entries. */
export async function* footprints(bench: string, peers: readonly KeyValuePeer[], root: string, count: number): AsyncGenerator<BenchNote> {
  const found: { readonly name: string; readonly peak: number; readonly disk: number }[] = []
  for (const { name } of peers) {
    const directory = mkdtempSync(join(root, 'footprint-'))
    const script = fileURLToPath(new URL('fill-and-read.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, name, directory, String(count)])
    found.push({ name, peak: Number(stdout.trim().split('\n').at(-1)), disk: bytesOnDisk(directory) })
  }
  yield { bench, note: `bytes on disk of ${count} entries after compaction: ${found.map(({ name, disk }) => `${name} ${megabytes(disk)}`).join(', ')}` }
  yield { bench, note: `peak memory of a process that fills ${count} entries at random, reads and scans: ${found.map(({ name, peak }) => `${name} ${megabytes(peak)}`).join(', ')}` }
}
