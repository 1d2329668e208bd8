/** `lsmt cluster unsafe-recover`: the last resort for shards all of whose members are gone. */
import { exitCode } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import type { Operator } from './operator.ts'

/** As GET /cluster/lost tells of one. */
interface Lost {
  readonly shard: number
  /** The best first. */
  readonly copies: readonly { readonly node: string; readonly store: string; readonly epoch: number; readonly sequence: number }[]
}

/** Tells what is lost and which copies there are; takes the best of each shard only when it is `meant`. */
export async function recoverLost({ connection, tell, host }: Operator, meant: boolean): Promise<ExitCode> {
  const { lost } = (await (await connection.request('/cluster/lost', {})).json()) as { readonly lost: readonly Lost[] }
  if (!meant || lost.length === 0) {
    tell({ lost, recovered: [] }, lost.length === 0 ? 'no shard is lost: each has a member that is live' : `${lost.map(lostText).join('\n')}\nnothing was changed: wait for a node to come back, or take the best copies with --yes, though what was acknowledged may be lost`)
    return lost.length === 0 ? exitCode.ok : exitCode.failed
  }
  const recovered: number[] = []
  for (const { shard, copies: [best] } of lost) {
    if (best === undefined) continue
    await connection.request(`/cluster/recover?shard=${shard}&store=${encodeURIComponent(best.store)}`, { method: 'POST' })
    host.printError(`shard ${shard} goes on with the copy of ${best.node}, up to sequence ${best.sequence} of epoch ${best.epoch}`)
    recovered.push(shard)
  }
  const left = lost.length - recovered.length
  tell({ lost, recovered }, `${recovered.length} of ${lost.length} lost shards go on; ${left === 0 ? 'they may lack what was acknowledged' : `${left} have no copy that is live`}`)
  return left === 0 ? exitCode.ok : exitCode.failed
}

function lostText({ shard, copies }: Lost): string {
  const found = copies.map(({ node, epoch, sequence }) => `${node} has it up to sequence ${sequence} of epoch ${epoch}`)
  return `shard ${shard} is lost: ${found.length === 0 ? 'no live node has a copy' : found.join(', ')}`
}
