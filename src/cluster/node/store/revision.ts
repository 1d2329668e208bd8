/** Revisions are 64 bits at etcd and plain numbers here. */
import { invariant } from '../../../errors.ts'

export function numberOf(revision: bigint): number {
  const number = Number(revision)
  invariant(Number.isSafeInteger(number), () => `revision ${revision} of etcd is beyond what numbers hold`)
  return number
}
