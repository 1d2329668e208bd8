/** What all nodes of a cluster logged in a span of time, as one story. */
import type { RealCluster } from '../real-cluster.ts'

/** What led to a fault, and what it led to. */
const beforeMs = 5_000, afterMs = 3_000

export function loggedBetween({ nodes }: RealCluster, fromWallMs: number, untilWallMs: number): string {
  const lines = nodes.flatMap((node) => node.said().split('\n').flatMap((text) => lineOf(node.name, text)))
  const told = lines.filter(({ atMs }) => atMs >= fromWallMs - beforeMs && atMs <= untilWallMs + afterMs).toSorted((a, b) => a.atMs - b.atMs)
  return told.map(({ atMs, text }) => `${((atMs - fromWallMs) / 1000).toFixed(3)} s  ${text}\n`).join('')
}

/** None for what is no line of the log. */
function lineOf(node: string, text: string): readonly { readonly atMs: number; readonly text: string }[] {
  if (!text.startsWith('{')) return []
  try {
    const { time, level, msg, ...fields } = JSON.parse(text) as { readonly time: string; readonly level: string; readonly msg: string }
    return [{ atMs: Date.parse(time), text: `${node} ${level} ${msg} ${JSON.stringify(fields)}` }]
  } catch {
    // One that a kill has cut.
    return []
  }
}
