/** What a request to `POST /import` asks for, all of it in the URL. */
import type { IncomingHttpHeaders } from 'node:http'
import { LsmtError } from '../../errors.ts'
import type { ImportRequest } from '../../sql/import/import-rows.ts'

export type AskedImport = Pick<ImportRequest, 'table' | 'format' | 'csv' | 'onError' | 'onConflict'>

const parameterNames = ['table', 'format', 'columns', 'header', 'delimiter', 'onError', 'onConflict']

/** 22023 for parameters that are unknown, stand twice, or have values that cannot be meant. */
export function readImportUrl(url: string, headers: IncomingHttpHeaders): AskedImport {
  const { searchParams } = new URL(url, 'http://localhost')
  for (const name of searchParams.keys()) {
    if (!parameterNames.includes(name)) throw new LsmtError('22023', `unknown URL parameter "${name.slice(0, 60)}"`, { hint: `they are ${parameterNames.join(', ')}` })
    if (searchParams.getAll(name).length > 1) throw new LsmtError('22023', `the URL parameter "${name}" stands twice`)
  }
  const given = (name: string): string | undefined => searchParams.get(name) ?? undefined
  const table = given('table')
  if (table === undefined) throw new LsmtError('22023', 'the URL parameter "table" is missing', { hint: 'POST /import?table=t&format=csv' })
  const format = oneOf('format', given('format') ?? formatOf(headers['content-type']), ['csv', 'jsonl'])
  if (format === undefined) throw new LsmtError('22023', 'the URL parameter "format" is missing', { hint: 'csv or jsonl' })
  const onConflict = oneOf('onConflict', given('onConflict'), ['error', 'replace'])
  const csv = readCsvOptions(given)
  if (format !== 'csv' && Object.keys(csv).length > 0) throw new LsmtError('22023', `the URL parameter "${Object.keys(csv)[0]}" is for CSV only`)
  return { table, format, csv, onError: oneOf('onError', given('onError'), ['stop', 'skip']) ?? 'stop', ...(onConflict !== undefined && { onConflict }) }
}

function readCsvOptions(given: (name: string) => string | undefined): NonNullable<ImportRequest['csv']> {
  const header = oneOf('header', given('header'), ['true', 'false'])
  const columns = given('columns')?.split(',')
  const delimiter = given('delimiter')
  return { ...(header !== undefined && { header: header === 'true' }), ...(columns !== undefined && { columns }), ...(delimiter !== undefined && { delimiter: delimiter === 'tab' ? '\t' : delimiter }) }
}

function formatOf(contentType = ''): string | undefined {
  if (/^\s*text\/csv\s*(?:;|$)/i.test(contentType)) return 'csv'
  return /^\s*application\/(?:x-ndjson|jsonl|jsonlines)\s*(?:;|$)/i.test(contentType) ? 'jsonl' : undefined
}

function oneOf<Value extends string>(name: string, value: string | undefined, possible: readonly Value[]): Value | undefined {
  const found = possible.find((each) => each === value)
  if (value !== undefined && found === undefined) throw new LsmtError('22023', `the URL parameter "${name}" is "${value.slice(0, 60)}"; expected ${possible.join(' or ')}`)
  return found
}

/** Whether the body is compressed. 0A000 for other encodings than gzip. */
export function isGzip(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['content-encoding']?.toLowerCase()
  if (encoding === undefined || encoding === 'identity') return false
  if (encoding === 'gzip' || encoding === 'x-gzip') return true
  throw new LsmtError('0A000', `a body of Content-Encoding ${encoding.slice(0, 60)} is not supported`, { hint: 'gzip is' })
}
