import { expect, test } from 'vitest';
import { toCsv } from '../src/shared/csv.ts';

test('fields are quoted by RFC 4180, and no text is a formula; a text that is a number stays one', () => {
  const rows = [
    ['a,b', 'say "x"', 'two\nlines', null, undefined, true],
    ['=1+1', '@x', '\tx', '-x', '-1.5', -1.5],
  ];
  expect(toCsv(rows)).toBe('"a,b","say ""x""","two\nlines",,,true\r\n' + "'=1+1,'@x,'\tx,'-x,-1.5,-1.5\r\n");
  expect(toCsv([])).toBe('');
});
