/** A server under load: what the bench needs of each contestant. */
import { readFileSync } from 'node:fs'
import type { Work } from './works.ts'

export interface LoadShape {
  readonly connections: number
  readonly seconds: number
}

export interface Rate {
  readonly perSecond: number
  readonly p50Ms?: number
  readonly p99Ms?: number
}

export interface ServerContestant {
  readonly name: string
  does(work: Work): boolean
  /** As many requests as are answered. Throws when one fails: a refusal is quicker than an answer. */
  rate(work: Work, shape: LoadShape): Promise<Rate>
  /** Its largest resident size until now; undefined where it is several processes, or the system does not tell. */
  peakMemoryBytes(): number | undefined
  diskBytes(): number | undefined
  stop(): Promise<void>
}

export function peakMemoryOf(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return found === null ? undefined : Number(found[1]) * 1024
}
