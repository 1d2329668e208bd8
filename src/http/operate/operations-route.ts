/** /cluster/…: what people ask of a cluster, by any of its nodes and without bodies; only for who may write. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ClusterOperations, LostShard } from '../../cluster/node/membership.ts'
import { LsmtError } from '../../errors.ts'
import { sendWhole } from '../format/whole-answer.ts'
import { jsonContentType } from '../format/json-format.ts'
import type { ServedCluster } from '../forward/served-cluster.ts'
import { drop } from '../guard/bodies.ts'
import type { Access } from '../guard/tokens.ts'
import type { Traffic } from '../observe/traffic.ts'
import { answerError } from '../query/query-route.ts'
import { NodeReply } from '../reply/node-reply.ts'

export interface OperationsRoute {
  readonly served: ServedCluster | undefined
  readonly traffic: Traffic
}

interface Operation {
  readonly method: 'GET' | 'POST'
  readonly parameters: readonly string[]
  readonly run: (operate: ClusterOperations, parameters: readonly string[]) => Promise<unknown>
}

const done = { done: true } as const

/** By the end of their path. */
const operations: Readonly<Record<string, Operation>> = {
  drain: { method: 'POST', parameters: ['node'], run: (operate, [node]) => operate.drain(node!).then(() => done) },
  undrain: { method: 'POST', parameters: ['node'], run: (operate, [node]) => operate.undrain(node!).then(() => done) },
  replace: { method: 'POST', parameters: ['node', 'by'], run: (operate, [node, by]) => operate.replace(node!, by!).then(() => done) },
  'hand-over': { method: 'POST', parameters: ['shard'], run: (operate, [shard]) => operate.handOver(shardOf(shard!)).then(() => done) },
  lost: { method: 'GET', parameters: [], run: async (operate) => ({ lost: (await operate.findLost()).map(toldLost) }) },
  recover: { method: 'POST', parameters: ['shard', 'store'], run: (operate, [shard, store]) => recover(operate, shardOf(shard!), store!).then(() => done) },
}

export const operationPrefix = '/cluster/'

/** Never rejects. */
export async function answerOperation({ served, traffic }: OperationsRoute, request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> {
  try {
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost')
    const name = pathname.slice(operationPrefix.length)
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined
    if (operation === undefined) answerOther(response, 404, `there is no ${request.method} ${pathname.slice(0, 100)}`, {})
    else if (request.method !== operation.method) answerOther(response, 405, `${pathname} is asked for by ${operation.method}`, { allow: operation.method })
    else {
      if (access !== 'write') throw new LsmtError('42501', `${pathname} is not allowed to who may only read`, { hint: 'use a token that may write' })
      if (served === undefined) throw new LsmtError('0A000', 'this server is no node of a cluster')
      const outcome = await operation.run(served.membership.operate, readParameters(searchParams, operation.parameters))
      sendWhole(response, 200, jsonContentType, JSON.stringify(outcome))
    }
  } catch (error) {
    answerError({ traffic }, error, new NodeReply(response), undefined)
  } finally {
    drop(request)
  }
}

function answerOther(response: ServerResponse, status: number, message: string, headers: Readonly<Record<string, string>>): void {
  sendWhole(response, status, jsonContentType, JSON.stringify({ error: { code: '22023', message } }), headers)
}

function readParameters(given: URLSearchParams, names: readonly string[]): readonly string[] {
  const unknown = [...given.keys()].find((name) => !names.includes(name))
  if (unknown !== undefined) throw new LsmtError('22023', `unknown URL parameter "${unknown.slice(0, 60)}"`, { hint: names.length === 0 ? 'there are none' : `they are ${names.join(', ')}` })
  return names.map((name) => {
    const [value, ...more] = given.getAll(name)
    if (value === undefined || value === '' || more.length > 0) throw new LsmtError('22023', `the URL parameter "${name}" ${more.length > 0 ? 'stands twice' : 'is missing'}`)
    return value
  })
}

function shardOf(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new LsmtError('22023', `the URL parameter "shard" is "${text.slice(0, 60)}"; expected its number`)
  return Number(text)
}

/** The copy that should be taken stands first. */
function toldLost({ shard, copies }: LostShard): unknown {
  return { shard, copies: copies.map(({ node, store, epoch, sequence }) => ({ node, store, epoch, sequence })) }
}

/** `store` is the copy that whoever asks was told of: what was found may have changed since. */
async function recover(operate: ClusterOperations, shard: number, store: string): Promise<void> {
  const lost = (await operate.findLost()).find((each) => each.shard === shard)
  if (lost === undefined) throw new LsmtError('55000', `shard ${shard} is not lost: a member is live`)
  if (lost.copies[0]?.store !== store) throw new LsmtError('55000', `the best copy of shard ${shard} is not the one that was named any more: look again`)
  await operate.recoverLost(lost)
}
