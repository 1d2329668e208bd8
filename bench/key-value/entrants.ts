/** The key/value contestants of a run, each with a directory and the store that is open in it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { keyValuePeers } from '../peers/key-value/contestants.ts'
import type { Answered, KeyValuePeer, KeyValueStore } from '../peers/key-value/store.ts'
import { missingPeer } from '../peers/installed.ts'
import { timed } from '../harness.ts'
import type { BenchNote, Contestant } from '../harness.ts'
import { scanAll } from './workloads.ts'
import type { Workload } from './workloads.ts'

export interface Entrant {
  readonly peer: KeyValuePeer
  directory: string
  store: KeyValueStore
}

export const installedPeers = (): readonly KeyValuePeer[] => keyValuePeers.filter((peer) => peer.isInstalled())

/** How each that takes part is used. */
export const introductions = (bench: string): readonly BenchNote[] => installedPeers().map((peer) => ({ bench, note: `${peer.name}: ${peer.describe()}` }))

export const absences = (bench: string): readonly BenchNote[] => keyValuePeers.filter((peer) => !peer.isInstalled()).map(({ name }) => missingPeer(bench, name))

export async function enter(root: string, answered: Answered): Promise<Entrant[]> {
  const entrants: Entrant[] = []
  for (const peer of installedPeers()) {
    const directory = mkdtempSync(join(root, 'store-'))
    entrants.push({ peer, directory, store: await peer.open(directory, answered) })
  }
  return entrants
}

/** Into an empty store. */
export async function renew(entrant: Entrant, root: string, answered: Answered): Promise<void> {
  await entrant.store.close()
  rmSync(entrant.directory, { recursive: true })
  entrant.directory = mkdtempSync(join(root, 'store-'))
  entrant.store = await entrant.peer.open(entrant.directory, answered)
}

/** Of a workload that only reads, or whose answer tells all. */
export const reading = (entrants: readonly Entrant[], work: Workload): Contestant[] => entrants.map(({ peer, store }) => ({ name: peer.name, run: () => timed(() => work(store)) }))

/** Of a workload that writes: what the store holds afterwards is the answer. `before` is not timed. */
export function writing(entrants: readonly Entrant[], work: Workload, before: (entrant: Entrant) => Promise<void> = async () => {}): Contestant[] {
  return entrants.map((entrant) => ({
    name: entrant.peer.name,
    async run() {
      await before(entrant)
      const outcome = await timed(() => work(entrant.store))
      return { ...outcome, answer: (await scanAll(entrant.store)).answer }
    },
  }))
}

/** Runs a bench for what it leaves behind: compiled code. */
export async function warmUp(bench: AsyncIterable<unknown>): Promise<void> {
  for await (const measured of bench) void measured
}
