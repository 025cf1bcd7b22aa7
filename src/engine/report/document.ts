/** A document before it is given a format. Its text is plain; the writer of each format escapes it. */
export type Document = { readonly title: string; readonly blocks: readonly Block[] };

export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string; readonly isLead?: boolean }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | {
      readonly kind: 'table';
      readonly columns: readonly { readonly name: string; readonly isNumber?: boolean }[];
      readonly rows: readonly (readonly string[])[];
    }
  /** A picture as the text of an SVG, with words to replace it. */
  | { readonly kind: 'picture'; readonly svg: string; readonly words: string }
  /** Verbatim lines, for instance of a diff. */
  | { readonly kind: 'code'; readonly title: string; readonly text: string };
