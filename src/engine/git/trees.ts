import type { StoredObject } from './objects.ts';

/** A file of a tree, with its blob's id before and after an edit. */
export type TreeChange = { readonly isExecutable: boolean; readonly before: string; readonly after: string };

type Wanted = Omit<TreeChange, 'before'>;
type Changed = {
  readonly id: string;
  readonly before: string;
  readonly files: ReadonlyMap<string, TreeChange>;
};
type Trees = {
  readonly read: (name: string) => Promise<StoredObject | null>;
  /** Returns the tree's id. */
  readonly add: (content: Buffer) => string;
};

/**
 * Makes a tree in which existing files have other blobs, together with its subtrees. Null if a file does not exist
 * with the wanted mode, or a tree could not be read.
 * @param name of the tree
 */
export async function changeTree(
  name: string,
  wanted: ReadonlyMap<string, Wanted>,
  trees: Trees,
): Promise<Changed | null> {
  const tree = await trees.read(name);
  if (!tree) return null;
  const content = Buffer.from(tree.content);
  const files = new Map<string, TreeChange>();
  for (const [entry, inside] of byFirstPart(wanted)) {
    const file = inside.get('');
    const mode = file ? (file.isExecutable ? '100755' : '100644') : '40000';
    const idAt = findId(content, `${mode} ${entry}\0`, tree.id.length / 2);
    if (idAt === null) return null;
    const before = content.toString('hex', idAt, idAt + tree.id.length / 2);
    const below = file ? null : await changeTree(before, inside, trees);
    const after = file?.after ?? below?.id;
    if (after === undefined) return null;
    content.write(after, idAt, 'hex');
    if (file) files.set(entry, { ...file, before });
    for (const [path, change] of below?.files ?? []) files.set(`${entry}/${path}`, change);
  }
  const id = content.equals(tree.content) ? tree.id : trees.add(content);
  return { id, before: tree.id, files };
}

/** The changes in each entry of a folder; the path '' stands for the entry itself. */
function byFirstPart(wanted: ReadonlyMap<string, Wanted>): ReadonlyMap<string, Map<string, Wanted>> {
  const parts = new Map<string, Map<string, Wanted>>();
  for (const [path, file] of wanted) {
    const [first = '', ...rest] = path.split('/');
    parts.set(first, (parts.get(first) ?? new Map()).set(rest.join('/'), file));
  }
  return parts;
}

/** The offset of an entry's id in a tree. A tree is a list of mode, space, name, NUL, id. */
function findId(tree: Buffer, head: string, idBytes: number): number | null {
  const wanted = Buffer.from(head);
  for (let at = 0; at < tree.length; ) {
    const idAt = tree.indexOf(0, at) + 1;
    if (tree.subarray(at, idAt).equals(wanted)) return idAt;
    at = idAt + idBytes;
  }
  return null;
}
