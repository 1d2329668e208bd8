import { expect, test } from 'vitest'
import { hasContent, singleStatements, splitStatements, wordsOf } from '../../../src/cli/sql-shell/split-statements.ts'

const cases: readonly (readonly [string, readonly string[], string])[] = [
  ['select 1; select 2', ['select 1;'], ' select 2'],
  ["select ';', \";\", E'\\';', 'it''s;';x", ["select ';', \";\", E'\\';', 'it''s;';"], 'x'],
  ['-- a; b\n/* ; /* ; */ ; */ select 1;', ['-- a; b\n/* ; /* ; */ ; */ select 1;'], ''],
  ['select $$;$$, $tag$;$$;$tag$;', ['select $$;$$, $tag$;$$;$tag$;'], ''],
  [';; -- nothing;\n;', [], ''],
  ["select 'open;", [], "select 'open;"],
  ['begin; insert into t values (1); savepoint a; rollback to a; commit; select 1;', ['begin; insert into t values (1); savepoint a; rollback to a; commit;', ' select 1;'], ''],
  ['START TRANSACTION; select 1;', [], 'START TRANSACTION; select 1;'],
  ['begin read only; select 1; END;', ['begin read only; select 1; END;'], ''],
]
for (const [text, statements, rest] of cases) {
  test(JSON.stringify(text), () => {
    expect(splitStatements(text)).toEqual({ statements, rest })
  })
}

test('single statements, first words, blanks', () => {
  expect(singleStatements('begin; select 1; commit')).toEqual(['begin;', ' select 1;', ' commit'])
  expect(wordsOf('/* x */ create -- y\n table t (a int)')).toEqual(['CREATE', 'TABLE', 'T', '('])
  expect([hasContent(' -- a\n'), hasContent(';'), hasContent('x')]).toEqual([false, false, true])
})
