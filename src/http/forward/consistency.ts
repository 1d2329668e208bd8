/** How fresh the reads of a request are to be, as its headers say. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Consistency } from '../../cluster/engine/serve/cluster-server.ts'
import type { Engine } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import { sessionHeader } from '../observe/own-headers.ts'

const consistencyHeader = 'lsmt-consistency'
const stalenessHeader = 'lsmt-staleness-ms-max'

const stalenessMsMax = 2 ** 31 - 1

/** 22023 for levels there are not, and for what belongs to another level than is asked for. */
export function readConsistency(headers: IncomingHttpHeaders): Consistency {
  const kind = headerOf(headers, consistencyHeader) ?? 'linearizable'
  const token = headerOf(headers, sessionHeader)
  const staleness = headerOf(headers, stalenessHeader)
  if (staleness !== undefined && kind !== 'stale') throw new LsmtError('22023', `the header ${stalenessHeader} is for ${consistencyHeader}: stale only`)
  switch (kind) {
    case 'linearizable':
      // It sees what stands behind any token.
      return { kind }
    case 'session':
      return { kind, token }
    case 'stale':
      if (token !== undefined) throw new LsmtError('22023', `the header ${sessionHeader} is not for ${consistencyHeader}: stale`, { hint: 'session sees what stands behind the token' })
      return { kind, maxMs: readStaleness(staleness) }
    default:
      throw new LsmtError('22023', `the header ${consistencyHeader} is "${kind.slice(0, 60)}"; expected linearizable, session or stale`)
  }
}

/** For a server that is no part of a cluster. Where writes are its own, whatever it reads satisfies every level. */
export function checkConsistencyAlone(headers: IncomingHttpHeaders, { isReadOnly }: Pick<Engine, 'isReadOnly'>): void {
  readConsistency(headers)
  const given = [consistencyHeader, sessionHeader].find((name) => headers[name] !== undefined)
  if (isReadOnly === true && given !== undefined) throw new LsmtError('0A000', `the header ${given} is not supported on a node that follows a writer`, { hint: 'ask the node that writes' })
}

function readStaleness(text: string | undefined): number {
  if (text === undefined) throw new LsmtError('22023', `${consistencyHeader}: stale needs the header ${stalenessHeader}`, { hint: 'how old an answer may be, in milliseconds' })
  const ms = Number(text)
  if (!/^\d+$/.test(text) || ms === 0 || ms > stalenessMsMax) throw new LsmtError('22023', `the header ${stalenessHeader} is "${text.slice(0, 60)}"; expected a whole number of milliseconds from 1 to ${stalenessMsMax}`)
  return ms
}

/** Node joins those that stand several times, so that none of them is what is expected. */
function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  return headers[name] as string | undefined
}
