/** Writes of the simulation as the batches that stand in real logs. */
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { assignBaseSequence, assignParticipants, readOperations } from '../../../src/lsm/batch.ts'
import { decodeWrite, encodeWrite } from '../simulation/rows.ts'
import type { Write } from '../simulation/rows.ts'

const rowTable = 1
const builder = createBatchBuilder()

/** A batch as it is in a log: one operation or two, with the write as the value of the first; as a part of a statement of shard 0 alone. */
export function batchOf(write: Write, operationCount: number, baseSequence: number, isPart: boolean): Uint8Array {
  for (let i = 0; i < operationCount; i++) builder.put(rowTable, Buffer.from(`${i}`), encodeWrite(write))
  const batch = builder.finish(isPart ? 1 : 0)
  if (isPart) assignParticipants(batch, { transactionId: new Uint8Array(16), parts: [{ shard: 0, baseSequence }] })
  assignBaseSequence(batch, baseSequence)
  return batch
}

export function writeIn(batch: Uint8Array): Write {
  const [first] = readOperations(batch)
  return decodeWrite(first!.value)
}
