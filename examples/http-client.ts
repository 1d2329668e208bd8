/** A client of the server that `npm start` runs: parameters, errors, and a large answer read line by line. */
const url = 'http://localhost:8080/query'

interface Answer {
  readonly rows: readonly (readonly unknown[])[]
}

async function query(sql: string, params: readonly unknown[] = []): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ sql, params }) })
  const answer = (await response.json()) as Answer & { readonly error?: { readonly code: string; readonly message: string } }
  if (answer.error !== undefined) throw new Error(`${response.status} ${answer.error.code}: ${answer.error.message}`)
  return answer
}

/** Rows as they arrive: JSON lines, of which the last one tells that it was the end. */
async function* stream(sql: string): AsyncGenerator<readonly unknown[]> {
  const response = await fetch(`${url}?format=jsonl`, { method: 'POST', body: sql })
  let rest = ''
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const value = JSON.parse(line) as readonly unknown[] | { readonly end?: object; readonly error?: { readonly message: string } }
      if (Array.isArray(value)) yield value
      else if ('error' in value) throw new Error(value.error?.message)
      else if ('end' in value) return
    }
  }
  throw new Error('the answer broke off')
}

await query('CREATE TABLE IF NOT EXISTS squares (n BIGINT PRIMARY KEY, square NUMERIC(18,0))')
for (let n = 1; n <= 3; n++) await query('UPSERT INTO squares VALUES ($1, $2)', [n, String(n * n)])
console.log((await query('SELECT square FROM squares WHERE n = $1', [3])).rows)

let sum = 0
for await (const [n] of stream('SELECT a.n FROM squares a CROSS JOIN squares b')) sum += Number(n)
console.log(sum)

await query('SELECT n / 0 FROM squares').catch((error: Error) => console.log(error.message))

// prints:
// [ [ '9' ] ]
// 18
// 400 22012: division by zero
