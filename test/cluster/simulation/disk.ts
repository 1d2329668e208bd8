/**
 * The disk of a node: requests are carried out in their order and take time. A crash carries out some of those that
 * were under way, from the first on, and loses the others; nobody hears of either.
 */
import type { LogEnd } from '../../../src/cluster/replication/state/epochs.ts'
import { appended, emptyLog } from '../../../src/cluster/replication/state/log-state.ts'
import type { LogEntry, LogState } from '../../../src/cluster/replication/state/log-state.ts'
import type { World } from './world.ts'

/** What the rows come to, as files hold it. */
export type Rows = ReadonlyMap<string, string>

export interface Files {
  readonly through: LogEnd
  readonly rows: Rows
}

export interface Disk {
  readonly store: string
  incarnation: number
  storedEpoch: number
  log: LogEntry[]
  files: Files
  /** The commit that the node knew of when it wrote last. Nothing is decided by it. */
  highWatermark: number
  request(carryOut: () => void, done: () => void): void
  /** Loses what is under way, or as much of it as chance wants. */
  crash(): void
  speedMs: number
  /** Requests are done before they are carried out: what `durability interval` acknowledges. */
  readonly syncsBeforeAck: boolean
}

export function createDisk(world: World, store: string, syncsBeforeAck = true): Disk {
  let pending: { readonly carryOut: () => void; readonly done: () => void }[] = []
  let isBusy = false, life = 0

  function begin(): void {
    const now = life
    isBusy = true
    world.after(world.between(0.2, disk.speedMs), () => {
      if (now !== life) return
      const [first] = pending.splice(0, 1)
      first!.carryOut()
      isBusy = pending.length > 0
      if (isBusy) begin()
      if (syncsBeforeAck) first!.done()
    })
  }

  const disk: Disk = {
    store,
    incarnation: 0,
    storedEpoch: 0,
    log: [],
    files: { through: { sequence: 0, epoch: 0 }, rows: new Map() },
    highWatermark: 0,
    speedMs: 3,
    syncsBeforeAck,
    request(carryOut, done) {
      pending.push({ carryOut, done })
      if (!isBusy) begin()
      if (!syncsBeforeAck) world.after(0, done)
    },
    crash() {
      life++
      isBusy = false
      const kept = world.random.below(pending.length + 1)
      for (const { carryOut } of pending.slice(0, kept)) carryOut()
      pending = []
    },
  }
  return disk
}

/** The log as a starting node finds it. */
export function logStateOf({ log, files }: Disk): LogState {
  const { sequence, epoch } = files.through
  const start: LogState = sequence === 0 ? emptyLog : { ...emptyLog, startSequence: sequence, lastSequence: sequence, epochs: [{ epoch, startSequence: sequence }] }
  const found = appended(start, log.filter(({ lastSequence }) => lastSequence > sequence))
  return { ...found, durableSequence: found.lastSequence }
}

/** Where it is on this disk, in the log or in files: up to the end that both make. */
export function endOnDisk({ log, files }: Disk): number {
  return log.at(-1)?.lastSequence ?? files.through.sequence
}

