import type { CliHost } from '../host.ts'
import type { ClusterStatus } from '../serve/cluster-status.ts'
import type { ServerConnection } from '../target/server-connection.ts'

/** What actions on a cluster have. */
export interface Operator {
  readonly connection: ServerConnection
  readonly host: CliHost
  /** 55000 when the server is no node of a cluster. */
  readonly status: () => Promise<ClusterStatus>
  /** The value with --json, otherwise the text. */
  readonly tell: (value: unknown, text: string) => void
}
