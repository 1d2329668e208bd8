/** What writers are told when the log fails them; the failure itself, which may name places on the disk, is the cause. */
import { LsmtError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'

/** Refusals before anything was written: such a batch will not be found in the log. */
const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['53200', '55000'])

const decidedLater = 'it is decided when the database is opened again: look then, or send the statement again under its idempotency key'

/** The error of a batch that was being written when the log failed: the next opening may find it there whole, or not. */
export function outcomeOf(failure: unknown): LsmtError {
  if (failure instanceof LsmtError && (failure.code === '40003' || refusals.has(failure.code))) return failure
  return new LsmtError('40003', 'it is not known whether this was written: the log failed meanwhile', { hint: decidedLater }, failure)
}

/** Why a log ends that had offered an object to storage: those in it may be found there, so it is no refusal to them. */
export function failureOfOffered(failure: unknown): unknown {
  if (!(failure instanceof LsmtError && refusals.has(failure.code))) return failure
  return new LsmtError('40003', 'it is not known whether this was written: the log ended before storage said so', { hint: decidedLater }, failure)
}

/** Why a tree ends that could not bring a batch into memory which its log has: the next opening finds that one, so it is no refusal either. */
export function failureOfDurable(failure: unknown): unknown {
  if (!(failure instanceof LsmtError && refusals.has(failure.code))) return failure
  return new LsmtError('40003', `this is in the log, but could not be made visible: ${failure.message}`, { hint: 'opening the database again makes it visible' }, failure)
}

/** The refusal of a batch that comes after the tree failed. */
export function refusalAfter(failure: Error, shard: number): LsmtError {
  if (failure instanceof LsmtError && failure.code === '55006') return failure
  return new LsmtError('55000', `shard ${shard} takes no more writes since it failed`, { hint: 'nothing of this was written; the status tells what happened, opening the database again mends it' }, failure)
}
