/** Log lines about peers, said when something new has happened and not with every attempt: who tries again each second would fill the log. */
import type { Clock } from '../../runtime/clock.ts'

export interface Told {
  /** Whether `line` about `subject` is news: it was not the last one said about it, or that was long ago. */
  isNews(subject: string, line: string): boolean
}

const repeatAfterMs = 60_000
/** Names may come from whoever connects. */
const subjectsMax = 256

export function createTold(clock: Pick<Clock, 'monotonicMs'>): Told {
  const last = new Map<string, { readonly line: string; readonly atMs: number }>()
  return {
    isNews(subject, line) {
      const nowMs = clock.monotonicMs()
      const before = last.get(subject)
      if (before?.line === line && nowMs - before.atMs < repeatAfterMs) return false
      last.delete(subject)
      last.set(subject, { line, atMs: nowMs })
      if (last.size > subjectsMax) last.delete(last.keys().next().value!)
      return true
    },
  }
}
