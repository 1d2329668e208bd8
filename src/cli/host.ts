/** What commands use of the world; main builds it from the process, tests from anything. */
import type { Engine } from '../engine/engine.ts'
import type { ClusterRequest } from '../cluster/open-cluster.ts'
import type { DatabaseRequest } from '../engine/open-database.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ClusterNode } from './serve/cluster-node.ts'

/** A stream of the process that may be a terminal. */
export type TerminalOutput = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
export type TerminalInput = NodeJS.ReadableStream & { readonly isTTY?: boolean }

export interface Terminal {
  readonly input: TerminalInput
  readonly output: TerminalOutput
  readonly error: TerminalOutput
}

export interface CliHost {
  readonly version: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly openEngine: (request: DatabaseRequest) => Promise<Engine>
  /** Resolves when the node takes part in its cluster; it may not be ready yet. */
  readonly openCluster: (request: ClusterRequest) => Promise<ClusterNode>
  readonly printLine: (line: string) => void
  readonly printError: (line: string) => void
  readonly terminal: Terminal
  /** Resolves when the process is asked to stop. */
  readonly stopRequested: Promise<void>
  /** Calls `reload` whenever the process is asked to read its files again (SIGHUP, which would otherwise end it). */
  readonly onReload: (reload: () => Promise<void>) => void
}
