/** encoding: what every format of an export gives: a head, and the text of each row. */
export type Encoding<Row> = {
  contentType: string;
  /** Before the first row; empty where a format has none. */
  head: string;
  /** With its line end. */
  line(row: Row): string;
};

/** Enough for one write to a socket; a row that is longer is a chunk by itself. */
const chunkLength = 64 * 1024;

/** The text of all pages, in pieces. */
export async function* chunksOf<Row>(
  pages: AsyncIterable<readonly Row[]>,
  { head, line }: Encoding<Row>,
): AsyncGenerator<string> {
  let text = head;
  for await (const rows of pages) {
    for (const row of rows) {
      text += line(row);
      if (text.length < chunkLength) continue;
      yield text;
      text = '';
    }
  }
  if (text !== '') yield text;
}
