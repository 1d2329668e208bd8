/** What commands use of the world; main builds it from the process, tests from anything. */
import type { Engine } from '../engine/engine.ts'
import type { Clock } from '../runtime/clock.ts'
import type { DatabaseSettings } from '../settings.ts'

export interface OpenRequest {
  readonly dataDir: string
  readonly settings: DatabaseSettings
  /** The number of shards was asked for, not a default: it must be the database's. */
  readonly isShardCountGiven: boolean
}

export interface CliHost {
  readonly version: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly openEngine: (request: OpenRequest) => Promise<Engine>
  readonly printLine: (line: string) => void
  readonly printError: (line: string) => void
  /** Resolves when the process is asked to stop. */
  readonly stopRequested: Promise<void>
  /** Calls `reload` whenever the process is asked to read its files again (SIGHUP, which would otherwise end it). */
  readonly onReload: (reload: () => Promise<void>) => void
}
