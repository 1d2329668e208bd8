/** All contestants; the first is the one that the others are compared with. */
import { duckdb } from './duckdb.ts'
import { lsmt } from './lsmt.ts'
import type { PeerKind } from './peer.ts'
import { sqlite } from './sqlite.ts'

export const peers: readonly PeerKind[] = [lsmt, duckdb, sqlite]
