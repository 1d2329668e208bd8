/** What a command does when the process is asked to stop: it ends its work as a cancelled statement ends. */
import { LsmtError } from '../errors.ts'
import { Canceller } from '../sql/cancel.ts'
import type { CancelSignal } from '../sql/cancel.ts'
import type { CliHost } from './host.ts'

export function cancelOnStop({ stopRequested }: CliHost): CancelSignal {
  const canceller = new Canceller()
  void stopRequested.then(() => canceller.cancel(new LsmtError('57014', 'interrupted')))
  return canceller
}
