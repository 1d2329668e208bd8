/** What tables by key are made of, and how they are read. */
import type { EndSignal } from '../../runtime/end-signal.ts'
import type { Engine } from '../engine.ts'
import type { KeyRangeOptions } from './kv-codec.ts'
import type { ReadSnapshot } from './read-snapshot.ts'

export interface KeyReadOptions {
  /** Default: all. */
  readonly columns?: readonly string[]
  /** BYTEA columns whose bytes are given as text: UTF-8, with U+FFFD for what is none. */
  readonly asText?: readonly string[]
  /** Default: the newest state. */
  readonly snapshot?: ReadSnapshot
}

export interface KeyScanOptions extends KeyReadOptions, KeyRangeOptions {
  readonly reverse?: boolean
  readonly limit?: number
  /** Ends the reading: 57014, or the signal's reason when that is an LsmtError. */
  readonly signal?: EndSignal
}

/** That of a database, or of one transaction. */
export type KeyedEngine = Partial<Pick<Engine, 'walk'>> & Pick<Engine, 'table' | 'catalogVersion' | 'catalogSettled' | 'snapshot' | 'rowsByKey' | 'scan' | 'insert' | 'insertColumns' | 'write' | 'deleteRange'>
