/**
 * Snapshots that are to be taken on a node, and such as are not read any more: what one turn has to ask of a node goes as
 * one question, so that a view of all shards is one request to each node and not one for each shard.
 */
import { LsmtError } from '../../../errors.ts'
import { methods, readSnapshotOutcomes, writeIds, writeSnapshotQuestions } from '../wire/questions.ts'
import type { SnapshotAnswer, SnapshotQuestion } from '../wire/questions.ts'
import { askShort, written } from './peer.ts'
import type { Channel } from './peer.ts'

export interface NodeQuestions {
  takeSnapshot(node: string, question: SnapshotQuestion): Promise<SnapshotAnswer>
  /** When this is lost, the node lets go of it as soon as the connection ends, or when it was idle for long. */
  letGo(node: string, id: number): void
}

interface Asked {
  readonly question: SnapshotQuestion
  readonly resolve: (answer: SnapshotAnswer) => void
  readonly reject: (error: unknown) => void
}

export function createNodeQuestions({ channel, timeoutMs }: { readonly channel: Channel; readonly timeoutMs: number }): NodeQuestions {
  /** Never rejects: whoever asked is told. */
  async function ask(node: string, asked: readonly Asked[]): Promise<void> {
    try {
      const body = written((writer) => writeSnapshotQuestions(writer, asked.map(({ question }) => question)))
      const outcomes = readSnapshotOutcomes(await askShort(channel, node, methods.snapshots, [body], timeoutMs), asked.length)
      asked.forEach(({ resolve, reject }, i) => {
        const outcome = outcomes[i]!
        if (outcome instanceof LsmtError) reject(outcome)
        else resolve(outcome)
      })
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }

  const snapshots = gatherByNode<Asked>((node, asked) => void ask(node, asked))
  const releases = gatherByNode<number>((node, ids) => {
    channel.request(node, methods.release, [written((writer) => writeIds(writer, ids))], { timeoutMs }).catch(() => {})
  })
  return {
    takeSnapshot: (node, question) => new Promise((resolve, reject) => snapshots(node, { question, resolve, reject })),
    letGo: releases,
  }
}

/** Of one turn, what goes to one node. */
function gatherByNode<T>(send: (node: string, gathered: readonly T[]) => void): (node: string, one: T) => void {
  const byNode = new Map<string, T[]>()
  return (node, one) => {
    const gathered = byNode.get(node)
    if (gathered !== undefined) return void gathered.push(one)
    byNode.set(node, [one])
    queueMicrotask(() => {
      const all = byNode.get(node)!
      byNode.delete(node)
      send(node, all)
    })
  }
}
