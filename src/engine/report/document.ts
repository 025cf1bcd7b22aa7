/** A text for a reader, before it is known how it is written down. Text in it is plain: whoever writes it down escapes it. */
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
  /** A picture as the text of an SVG, with words in its place. */
  | { readonly kind: 'picture'; readonly svg: string; readonly words: string }
  /** Lines as they are, of a diff for instance. */
  | { readonly kind: 'code'; readonly title: string; readonly text: string };
