/** How many requests to storage the statements of a text may make for what they read. */
import { LsmtError } from '../errors.ts'

export class RequestBudget {
  private readonly max: number
  private used = 0

  constructor(max: number) {
    this.max = max
  }

  /** 54000, with nothing spent, when there are fewer left. */
  spend(count: number): void {
    if (this.used + count > this.max) {
      throw new LsmtError('54000', `the query needs more than ${this.max} storage requests`, {
        expected: `at most ${this.max} storage requests`,
        hint: 'raise maxStorageRequests, or ask for fewer rows: EXPLAIN ANALYZE tells what is read',
      })
    }
    this.used += count
  }
}

/** 22023 unless it is a whole number from 0 on. */
export function checkStorageRequestsMax(count: unknown): number {
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count
  throw new LsmtError('22023', `maxStorageRequests is a whole number from 0 on; it was given as ${JSON.stringify(count) ?? String(count)}`)
}
