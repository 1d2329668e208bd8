/** Each mend that a query's tokens get before they are parsed. */
import { expect, test } from 'vitest'
import { disambiguate } from '../../src/sql/scan/disambiguate.ts'
import { isNameInQuery, parserText, shapeTokens } from '../../src/sql/syntax/names.ts'

function mended(shape: string): string {
  const tokens = shapeTokens(shape)
  return parserText(tokens, isNameInQuery, 0, disambiguate(tokens)).text.replaceAll(/\s+/g, ' ').trim()
}

test.each([
  ['select true or false and null', 'select true or ( false and null )'],
  ['select not ( true ) = false', 'select f_not ( ( true ) = false )'],
  ['select ? = ? is null', 'select f_is_null ( $1 = $2 )'],
  ['select ? is not distinct from ? and true', 'select f_not_distinct ( $1 , $2 ) and true'],
  ['select ? like ? escape ?', 'select f_like ( $1 , $2 , $3 )'],
  ['select ? like ? = ?', 'select ( $1 like $2 ) = $3'],
  ['select ? < ? not between ? and ? is null', 'select f_is_null ( $1 < ( $2 not between $3 and $4 ) )'],
  ['select ? in ( ? ) <> ? and ?', 'select ( $1 in ( $2 ) ) <> $3 and $4'],
  ['select ? + ? || ?', 'select ( $1 + $2 ) || $3'],
  ['select sum ( distinct ? ) , count ( * )', 'select fd_sum ( $1 ) , fs_count ( )'],
  ['select substring ( ? from ? for ? )', 'select f_substring ( $1 , $2 , $3 )'],
  ['select trim ( leading ? from ? )', 'select f_trim_leading ( $1 , $2 )'],
  ['select * from a join b on true , c', 'select * from "n0" join "n1" on true cross join "n2"'],
  ['select interval ? , current_date', 'select f_interval ( $1 ) , f_current_date ( )'],
  ['select all ?', 'select $1'],
  ['select ? between ? and ? or ?', 'select $1 between $2 and $3 or $4'],
])('%s', (shape, text) => {
  expect(mended(shape)).toBe(text)
})
