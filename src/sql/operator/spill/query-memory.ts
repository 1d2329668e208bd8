/**
 * Memory that the operators of a query hold rows in. Each has a share of its own, so that one below cannot starve those
 * above it: half of the query's memory is theirs in equal parts, the other half goes to who asks first. What an operator
 * cannot take it spills; the few blocks that it needs to do so it gets beyond the limit. What all queries hold together
 * is limited too.
 */
import type { EngineRow, EngineValue } from '../../../engine/engine.ts'
import { LsmtError } from '../../../errors.ts'

/** What all queries may hold together. */
export interface MemoryPool {
  readonly bytesMax: number
  usedBytes: number
}

export interface QueryMemory {
  readonly bytesMax: number
  /** What all shares hold. */
  readonly usedBytes: number
  /** A share for one operator; to be asked for before any of them holds rows. */
  share(): MemoryShare
  /** Gives back what any share still has. */
  close(): void
}

export interface MemoryShare {
  /** Bytes taken and not given back. */
  readonly usedBytes: number
  /** Takes the bytes, or says that they do not fit. */
  take(bytes: number): boolean
  /** Takes bytes that the operator cannot go on without. 53200 when all queries together have no more. */
  need(bytes: number): void
  give(bytes: number): void
}

interface Grants {
  readonly bytesMax: number
  readonly pool: MemoryPool
  /** Asked of the query at a time, so that rows are counted by an addition. */
  readonly stepBytes: number
  readonly shares: Grant[]
}

interface Grant {
  grantedBytes: number
  usedBytes: number
}

export function createMemoryPool(bytesMax: number): MemoryPool {
  return { bytesMax, usedBytes: 0 }
}

export function createQueryMemory(bytesMax: number, pool: MemoryPool): QueryMemory {
  return new Shares(bytesMax, pool)
}

/** A class, as shares are: every query makes two, and accessors of object literals would make each a kind of its own. */
class Shares implements QueryMemory {
  readonly bytesMax: number
  private readonly grants: Grants

  constructor(bytesMax: number, pool: MemoryPool) {
    this.bytesMax = bytesMax
    this.grants = { bytesMax, pool, stepBytes: Math.max(256, Math.floor(bytesMax / 256)), shares: [] }
  }

  get usedBytes(): number {
    return this.grants.shares.reduce((sum, { usedBytes }) => sum + usedBytes, 0)
  }

  share(): MemoryShare {
    return new Share(this.grants)
  }

  close(): void {
    for (const share of this.grants.shares) grant(this.grants, share, -share.grantedBytes)
  }
}

class Share implements MemoryShare {
  private readonly grants: Grants
  private readonly own: Grant = { grantedBytes: 0, usedBytes: 0 }

  constructor(grants: Grants) {
    this.grants = grants
    grants.shares.push(this.own)
  }

  get usedBytes(): number {
    return this.own.usedBytes
  }

  take(bytes: number): boolean {
    const { grants, own } = this
    const missing = own.usedBytes + bytes - own.grantedBytes
    if (missing > 0) {
      const step = Math.max(missing, grants.stepBytes)
      if (fits(grants, own, step)) grant(grants, own, step)
      else if (fits(grants, own, missing)) grant(grants, own, missing)
      else return false
    }
    own.usedBytes += bytes
    return true
  }

  need(bytes: number): void {
    if (this.take(bytes)) return
    const { grants, own } = this
    const missing = own.usedBytes + bytes - own.grantedBytes
    if (grants.pool.usedBytes + missing > grants.pool.bytesMax) throw poolIsUsedUp(grants.pool)
    grant(grants, own, missing)
    own.usedBytes += bytes
  }

  give(bytes: number): void {
    const { grants, own } = this
    own.usedBytes -= bytes
    const spare = own.grantedBytes - own.usedBytes
    if (own.usedBytes === 0) grant(grants, own, -spare)
    else if (spare > 2 * grants.stepBytes) grant(grants, own, grants.stepBytes - spare)
  }
}

function grant({ pool }: Grants, share: Grant, bytes: number): void {
  share.grantedBytes += bytes
  pool.usedBytes += bytes
}

/** Of the pool an eighth is left for those who cannot go on without. */
function fits({ bytesMax, pool, shares }: Grants, asking: Grant, bytes: number): boolean {
  if (pool.usedBytes + bytes > pool.bytesMax * 0.875) return false
  const ownBytes = Math.floor(bytesMax / 2 / shares.length)
  let beyond = 0
  for (const share of shares) beyond += Math.max(0, share.grantedBytes + (share === asking ? bytes : 0) - ownBytes)
  return beyond <= bytesMax - ownBytes * shares.length
}

function poolIsUsedUp({ bytesMax, usedBytes }: MemoryPool): LsmtError {
  return new LsmtError('53200', `queries hold ${usedBytes} of the ${bytesMax} bytes of memory that all together may use`, { hint: 'run fewer queries at once, or raise queriesMemoryBytesMax' })
}

/** What a row takes in memory, near enough. */
export function rowBytes(row: EngineRow, width: number = row.length): number {
  let bytes = 48
  for (let i = 0; i < width; i++) bytes += valueBytes(row[i]!)
  return bytes
}

export function valueBytes(value: EngineValue): number {
  if (typeof value === 'string') return 32 + value.length * 2
  if (value instanceof Uint8Array) return 112 + value.length
  return typeof value === 'bigint' ? 40 : 16
}
