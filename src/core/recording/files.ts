/** Files by their path inside a dataset, wherever it lies: a folder, a zip, a server. Knows bytes, not what is in them. */

export interface ByteFile {
  readonly size: number;
  /** Bytes from `start` up to `end`, in memory of their own. */
  bytes(start: number, end: number): Promise<ArrayBuffer>;
  /** As something the browser can play. */
  blob(): Promise<Blob>;
}

export interface FileTree {
  /** What it is called: shown to a person. */
  readonly name: string;
  /** Null where there is no such file. */
  open(path: string): Promise<ByteFile | null>;
}

export function blobFile(blob: Blob): ByteFile {
  return { size: blob.size, bytes: (start, end) => blob.slice(start, end).arrayBuffer(), blob: async () => blob };
}

/** The files of a folder or of a drop, by path. One folder around all of them is taken away. */
export function folderTree(name: string, files: ReadonlyMap<string, Blob>): FileTree {
  const prefix = commonFolder([...files.keys()]);
  return {
    name,
    open: async (path) => {
      const blob = files.get(prefix + path);
      return blob === undefined ? null : blobFile(blob);
    },
  };
}

/** The folder in which `meta/info.json` lies, with a closing slash; '' at the top or where there is none. */
export function commonFolder(paths: readonly string[]): string {
  const found = paths.filter((path) => path === 'meta/info.json' || path.endsWith('/meta/info.json')).sort((a, b) => a.length - b.length)[0];
  return found === undefined ? '' : found.slice(0, -'meta/info.json'.length);
}
