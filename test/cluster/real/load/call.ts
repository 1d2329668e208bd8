/** One statement to one node, and what is known of it afterwards. */

export interface Answer {
  readonly rows: readonly (readonly unknown[])[]
  readonly rowCount: number
  readonly commit?: { readonly copies: number }
}

export type CallOutcome =
  | { readonly kind: 'answered'; readonly answer: Answer; readonly session: string | undefined }
  /** The server said no, or was not there: nothing was done. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** It may have been done, or may yet be. */
  | { readonly kind: 'unknown'; readonly code: string; readonly message: string }

export interface Call {
  readonly url: string
  readonly sql: string
  readonly timeoutMs: number
  readonly headers?: Readonly<Record<string, string>>
}

/** Of this machine, so that times of its processes can be compared. */
export const nowMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000

export async function call({ url, sql, timeoutMs, headers = {} }: Call): Promise<CallOutcome> {
  let status: number, text: string, session: string | undefined
  try {
    const response = await fetch(`${url}/query`, { method: 'POST', body: sql, headers: { 'content-type': 'text/plain', ...headers }, signal: AbortSignal.timeout(timeoutMs) })
    status = response.status
    session = response.headers.get('lsmt-session') ?? undefined
    text = await response.text()
  } catch (error) {
    const { name, message, cause } = error as Error & { readonly cause?: { readonly code?: string; readonly syscall?: string } }
    const code = cause?.code ?? name
    // Where there was no connection there was no request either.
    const isRefused = cause?.syscall === 'connect' || code === 'UND_ERR_CONNECT_TIMEOUT'
    return { kind: isRefused ? 'refused' : 'unknown', code, message }
  }
  if (status === 200) return { kind: 'answered', answer: JSON.parse(text) as Answer, session }
  const { code, message } = errorOf(text)
  return { kind: code === '40003' ? 'unknown' : 'refused', code, message: `${status} ${message}` }
}

function errorOf(text: string): { readonly code: string; readonly message: string } {
  try {
    return (JSON.parse(text) as { readonly error: { readonly code: string; readonly message: string } }).error
  } catch {
    return { code: 'not an answer', message: text.slice(0, 200) }
  }
}
