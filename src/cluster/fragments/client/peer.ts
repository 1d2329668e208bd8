/** Another node as reads ask it: what went wrong between nodes becomes what a statement is told. */
import { LsmtError } from '../../../errors.ts'
import type { ReadStats } from '../../../lsm/tree.ts'
import type { Pace } from '../../../runtime/pace.ts'
import { abortSignalOf, endReason } from '../../../runtime/end-signal.ts'
import type { Transport } from '../../transport/transport.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import { readMessages } from '../wire/message-stream.ts'

export type Channel = Pick<Transport, 'request' | 'stream'>

/** 08006 where the outcome is unknown to the transport: reads change nothing, so they may be asked again. */
function ofRead(node: string, error: unknown): unknown {
  return error instanceof LsmtError && error.code === '40003' ? new LsmtError('08006', `${node} did not answer a read: ${error.message}`, {}, error) : error
}

/** A short question and its answer. */
export async function askShort(channel: Channel, node: string, method: string, body: readonly Uint8Array[], timeoutMs: number, signal?: AbortSignal): Promise<ByteReader> {
  try {
    return createByteReader(await channel.request(node, method, body, { timeoutMs, signal }), `the answer of ${node} to '${method}'`)
  } catch (error) {
    throw ofRead(node, error)
  }
}

/** Payloads of a stream's messages; what the read touched there is added to `stats` at its end. Leaving it cancels it there. */
export async function* askStream(channel: Channel, node: string, method: string, body: readonly Uint8Array[], signal: AbortSignal | undefined, stats: ReadStats | undefined): AsyncGenerator<Uint8Array, void, void> {
  const end = yield* readMessages(channel.stream(node, method, body, { signal }))
  if (end.kind === 'error') throw end.error
  if (stats === undefined) return
  stats.rowGroupsTotal += end.stats.rowGroupsTotal
  stats.rowGroupsPruned += end.stats.rowGroupsPruned
  stats.bytesRead += end.stats.bytesRead
  stats.storageRequests += end.stats.storageRequests
}

export function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = createByteWriter()
  write(writer)
  return writer.done()
}

/** What ends a read's streams; throws what ends it already. */
export function signalOf(pace: Pace | undefined): AbortSignal | undefined {
  const signal = pace?.signal
  if (signal?.aborted === true) throw endReason(signal)
  return signal && abortSignalOf(signal)
}
