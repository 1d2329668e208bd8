/** Snapshots of one shard as of now: of the replica here where it leads, otherwise of whoever does. */
import { LsmtError } from '../../../errors.ts'
import type { ErrorCode } from '../../../errors.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { ReadLevel } from '../../replication/event.ts'
import type { Replica } from '../../replica/replica.ts'
import type { ShardSource } from './consistent-snapshot.ts'
import { placeSnapshot } from './placed-snapshot.ts'
import type { TakenSnapshot } from './placed-snapshot.ts'

export interface LeaderSourceOptions {
  readonly shard: number
  readonly replica: () => Replica | undefined
  /** Asks the node that leads, as far as is known; undefined when no other node does. */
  readonly elsewhere: () => ((level: ReadLevel, minSequence: number) => Promise<TakenSnapshot>) | undefined
  /** Resolves when who leads may have changed, and after a short while in any case. */
  readonly changed: () => Promise<void>
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/** So long a read waits for a shard to have a leader again. */
export const patienceMs = 10_000

export function createLeaderSource(options: LeaderSourceOptions): ShardSource {
  const { replica, clock } = options
  const isHere = (minSequence: number): boolean => {
    const here = replica()
    return here?.mayServe() === true && here.tree.visibleSequence >= minSequence
  }
  return {
    isHere,
    now: (minSequence) => (isHere(minSequence) ? takeHere(replica()!) : undefined),
    take: (minSequence) => untilAnswered(options, () => takeOnce(options, minSequence), clock),
  }
}

/** Runs `ask` again while whoever should answer cannot. 08006 after some seconds. */
export async function untilAnswered<T>({ shard, changed }: Pick<LeaderSourceOptions, 'shard' | 'changed'>, ask: () => Promise<T>, clock: Pick<Clock, 'monotonicMs'>): Promise<T> {
  const endMs = clock.monotonicMs() + patienceMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!mayBeAskedAgain(error)) throw error
      if (clock.monotonicMs() >= endMs) throw new LsmtError('08006', `no leader of shard ${shard} has answered within ${patienceMs / 1000} s: ${error.message}`, { hint: 'nothing was changed: run it again when the nodes that keep the shard are back' }, error)
    }
    await changed()
  }
}

const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['08006', '40003', '53300', '55000', '57P03'])

/** Of a question that changes nothing: its failure says nothing but that this node cannot answer now. */
export const mayBeAskedAgain = (error: unknown): error is LsmtError => error instanceof LsmtError && passing.has(error.code)

function takeOnce(options: LeaderSourceOptions, minSequence: number): Promise<TakenSnapshot> {
  const here = options.replica()
  if (here?.status().role === 'leader') return takeLed(options, here, minSequence)
  const elsewhere = options.elsewhere()
  if (elsewhere === undefined) return Promise.reject(new LsmtError('57P03', `shard ${options.shard} has no leader now`))
  return elsewhere({ kind: 'lease' }, minSequence)
}

async function takeLed({ clock }: LeaderSourceOptions, replica: Replica, minSequence: number): Promise<TakenSnapshot> {
  for (;;) {
    const { deadlineMs } = await replica.read({ kind: 'lease' }, minSequence)
    if (deadlineMs > clock.monotonicMs()) return takeHere(replica)
  }
}

export function takeHere({ tree, replicated }: Replica): TakenSnapshot {
  return { snapshot: placeSnapshot(tree, tree.snapshot()), tablesSequence: replicated.tablesSequence, parts: replicated.visibleParts(), partsAfter: replicated.partsAfter }
}
