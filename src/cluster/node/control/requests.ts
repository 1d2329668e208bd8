/** What nodes ask each other about members and leaders: bodies of JSON, checked field by field. */
import { LsmtError } from '../../../errors.ts'
import type { RequestHandler } from '../../transport/call/services.ts'
import { violation } from '../../transport/frame/frame.ts'
import type { Transport } from '../../transport/transport.ts'
import { fieldsOf, isCount, isName } from '../../store-value.ts'
import type { Broken, Fields } from '../../store-value.ts'
import type { Change } from '../../placement/plan.ts'
import type { HostedReplica, HostedReplicaStatus } from '../hosted-replica.ts'
import type { LedStatus } from '../membership.ts'

const methods = { move: 'membership-move', handOver: 'membership-hand-over', passOn: 'membership-pass-on', settle: 'membership-settle', copies: 'membership-copies', led: 'membership-led' } as const

/** One copy at a node, whether or not it is kept there. */
export interface NodeCopy {
  readonly shard: number
  readonly store: string
  /** Epoch and end of its log. */
  readonly epoch: number
  readonly sequence: number
}

export interface NodeServices {
  /** That leads the shard here; 57P03 when none does. */
  leader(shard: number): HostedReplica
  handOver(shard: number): Promise<void>
  /** Asks a leader on another node, for somebody who does not hear it, to step down. */
  passOn(node: string, shard: number): Promise<void>
  copies(): Promise<readonly NodeCopy[]>
  led(): ReadonlyMap<number, LedStatus>
}

export function ledStatusOf({ isReady, commitSequence, copies, peers }: HostedReplicaStatus): LedStatus {
  return { isReady, commitSequence, copies, lag: Math.max(0, ...peers.map(({ lag }) => lag)) }
}

/** For the transport's `requests`. */
export function nodeHandlers(services: NodeServices): Readonly<Record<string, RequestHandler>> {
  return {
    [methods.move]: async (body) => {
      const { fields, wrong } = bodyOf(body, methods.move)
      const { fromStore } = fields, shard = shardOf(fields, wrong)
      const { node, store } = fieldsOf(fields['to'], 'a replica', wrong)
      if (!isName(fromStore) || !isName(node) || !isName(store)) throw wrong('stores and a node', fields)
      services.leader(shard).move(fromStore, { node, store })
      return bytesOf({})
    },
    [methods.handOver]: async (body) => {
      const { fields, wrong } = bodyOf(body, methods.handOver)
      await services.handOver(shardOf(fields, wrong))
      return bytesOf({})
    },
    [methods.passOn]: async (body) => {
      const { fields, wrong } = bodyOf(body, methods.passOn)
      const { node } = fields
      if (!isName(node)) throw wrong('a node', fields)
      await services.passOn(node, shardOf(fields, wrong))
      return bytesOf({})
    },
    [methods.settle]: async () => bytesOf({}),
    [methods.copies]: async () => bytesOf({ copies: await services.copies() }),
    [methods.led]: async () => bytesOf({ led: [...services.led()].map(([shard, status]) => ({ shard, ...status })) }),
  }
}

export interface NodeQuestions {
  /** Of the leader of a shard. */
  change(node: string, change: Change): Promise<void>
  /** Of any node: that it asks the leader of the shard, which is `node`, to step down. */
  passOn(via: string, node: string, shard: number): Promise<void>
  settle(node: string): Promise<void>
  copies(node: string): Promise<readonly NodeCopy[]>
  led(node: string, timeoutMs: number): Promise<ReadonlyMap<number, LedStatus>>
}

export function createNodeQuestions(transport: Pick<Transport, 'request'>, timeoutMs: number): NodeQuestions {
  const ask = async (node: string, method: string, body: object, limitMs = timeoutMs): Promise<Body> => bodyOf(await transport.request(node, method, [bytesOf(body)], { timeoutMs: limitMs }), `${method} of ${node}`)
  return {
    async change(node, change) {
      const { shard } = change
      if (change.kind === 'move') await ask(node, methods.move, { shard, fromStore: change.fromStore, to: change.to })
      else await ask(node, methods.handOver, { shard })
    },
    passOn: async (via, node, shard) => void (await ask(via, methods.passOn, { node, shard })),
    settle: async (node) => void (await ask(node, methods.settle, {})),
    copies: async (node) => {
      const { fields, wrong } = await ask(node, methods.copies, {})
      return listOf(fields['copies'], wrong).map((each) => copyOf(each, wrong))
    },
    led: async (node, limitMs) => {
      const { fields, wrong } = await ask(node, methods.led, {}, limitMs)
      return new Map(listOf(fields['led'], wrong).map((each) => [shardOf(each, wrong), ledOf(each, wrong)]))
    },
  }
}

interface Body {
  readonly fields: Fields
  readonly wrong: Broken
}

const bytesOf = (value: object): Uint8Array => Buffer.from(JSON.stringify(value), 'utf8')

function bodyOf(bytes: Uint8Array, what: string): Body {
  const wrong: Broken = (expected, actual) => violation(`${what}: expected ${expected}, found ${String(JSON.stringify(actual)).slice(0, 200)}`)
  const text = Buffer.from(bytes).toString('utf8')
  try {
    return { fields: fieldsOf(JSON.parse(text), 'an object', wrong), wrong }
  } catch (error) {
    throw error instanceof LsmtError ? error : wrong('JSON', text)
  }
}

function shardOf({ shard }: Fields, wrong: Broken): number {
  if (!isCount(shard)) throw wrong('a shard', shard)
  return shard
}

function listOf(value: unknown, wrong: Broken): readonly Fields[] {
  if (!Array.isArray(value)) throw wrong('a list', value)
  return value.map((each: unknown) => fieldsOf(each, 'an object', wrong))
}

function copyOf(fields: Fields, wrong: Broken): NodeCopy {
  const { store, epoch, sequence } = fields
  if (!isName(store) || !isCount(epoch) || !isCount(sequence)) throw wrong('a copy', fields)
  return { shard: shardOf(fields, wrong), store, epoch, sequence }
}

function ledOf(fields: Fields, wrong: Broken): LedStatus {
  const { isReady, commitSequence, copies, lag } = fields
  if (typeof isReady !== 'boolean' || !isCount(commitSequence) || !isCount(copies) || !isCount(lag)) throw wrong('the state of a leader', fields)
  return { isReady, commitSequence, copies, lag }
}
