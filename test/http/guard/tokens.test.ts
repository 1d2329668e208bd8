/** Tokens: what a file of them may hold, and what a header with one allows. */
import { expect, test } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { accessOf, parseTokens } from '../../../src/http/guard/tokens.ts'

const text = '# who may come\r\n\r\nread:reader-1\n  write:writer-1  \nplain-1\nread:both\nwrite:both\nwrite:with:colon\n'
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`

test('a token by Bearer, or as the password of Basic', () => {
  const tokens = parseTokens(text, 'a test')
  const seen = ['Bearer reader-1', 'bearer  writer-1', 'Bearer plain-1', 'Bearer both', 'Bearer with:colon', basic('anyone:reader-1'), basic(':writer-1'), basic('u:with:colon')]
  expect(seen.map((header) => accessOf(tokens, header))).toEqual(['read', 'write', 'write', 'write', 'write', 'read', 'write', 'write'])
})

test('everything else is 28000, and says nothing of what was sent', () => {
  const tokens = parseTokens(text, 'a test')
  for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Bearer reader', 'Bearer reader-11', 'Bearer read:reader-1', 'reader-1', 'Digest reader-1', 'Bearer reader-1 x', 'Basic !!', basic('reader-1:'), 'Bearer # who may come']) {
    const refusal = errorOf(() => accessOf(tokens, header))
    expect(refusal.code).toBe('28000')
    expect(JSON.stringify([refusal.message, refusal.evidence])).not.toContain('reader')
  }
})

test('a text that holds no tokens, or what is none, is refused by its line and not by its words', () => {
  expect(errorOf(() => parseTokens('', 'the file t'))).toMatchObject({ code: '22023', message: 'there is no token in the file t' })
  expect(errorOf(() => parseTokens('# only\n\n', 'the file t')).code).toBe('22023')
  for (const line of ['two words', 'read:', 'read: x', 'nö']) {
    expect(errorOf(() => parseTokens(`good\n${line}\n`, 'the file t'))).toMatchObject({ code: '22023', message: 'line 2 of the file t is no token' })
  }
})

function errorOf(run: () => unknown): LsmtError {
  try {
    run()
  } catch (error) {
    if (error instanceof LsmtError) return error
  }
  throw new Error('no LsmtError')
}
