/** Where clients write down what they see. */
import type { RegisterOperation } from '../../linearizability.ts'
import type { CallOutcome } from './call.ts'
import type { Observed, ProbeOutcome } from './observed.ts'

/** What a client may be told while nodes come and go. Anything else is a fault of the cluster. */
const expectedCodes = new Set([
  '57P03', '08006', '40003', '53300', '40001', '57014',
  // No connection, one that broke, and our own patience.
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT', 'TimeoutError',
])
/** Of those that begin alike: what is seen over and over leaves room for what is seen at the end. */
const violationsMax = 50, beginningLength = 16

export interface Recorder {
  operation(operation: RegisterOperation): void
  probe(outcome: ProbeOutcome): void
  group(number: number): void
  violation(text: string): void
  givenUp(text: string): void
  /** Counts it, and looks whether such an outcome may be. */
  outcome(outcome: CallOutcome, url: string, sql: string): void
  observed(): Observed
}

export function createRecorder(copies: number): Recorder {
  const history: RegisterOperation[] = [], probes: ProbeOutcome[] = [], groups: number[] = [], violations: string[] = [], givenUp: string[] = []
  const counts = new Map<string, number>(), toldCodes = new Set<string>()
  const recorder: Recorder = {
    operation: (operation) => void history.push(operation),
    probe: (outcome) => void probes.push(outcome),
    group: (number) => void groups.push(number),
    violation(text) {
      const beginning = text.slice(0, beginningLength)
      if (violations.filter((each) => each.startsWith(beginning)).length < violationsMax) violations.push(text)
    },
    givenUp: (text) => void givenUp.push(text),
    outcome(outcome, url, sql) {
      const name = outcome.kind === 'answered' ? 'answered' : `${outcome.kind} ${outcome.code}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
      const told = `${url}: ${sql.slice(0, 100)}`
      if (outcome.kind !== 'answered' && !expectedCodes.has(outcome.code) && !toldCodes.has(outcome.code)) {
        toldCodes.add(outcome.code)
        recorder.violation(`${told}: ${outcome.code} ${outcome.message}`)
      }
      if (outcome.kind === 'answered' && outcome.answer.commit !== undefined && outcome.answer.commit.copies < copies) recorder.violation(`${told}: acknowledged with ${outcome.answer.commit.copies} copies`)
    },
    observed: () => ({ history, probes, groups, violations, counts: Object.fromEntries(counts), givenUp }),
  }
  return recorder
}
