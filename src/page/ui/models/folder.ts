/** A folder a person picked or dropped, as files by path. Knows the browser's two ways of handing one over; reads no byte. */
import type { FolderFile, PolicySource } from '#contracts/policy.ts';

/** A training run's folder has thousands of files; a checkpoint has about ten. */
const MOST_FILES = 2000;
const DEEPEST = 6;

/** From `<input type="file" webkitdirectory>`: paths begin with the folder's own name, which is cut off. */
export function pickedFolder(list: FileList): PolicySource | null {
  const files = [...list].slice(0, MOST_FILES);
  const [first] = files;
  if (first === undefined) return null;
  const name = first.webkitRelativePath.split('/')[0] ?? 'folder';
  return { kind: 'folder', name, files: files.map((file) => ({ path: file.webkitRelativePath.slice(name.length + 1), blob: file })) };
}

/** From a drop: a folder, or the files of one selected together. Entries must be taken before the event handler ends. */
export async function droppedFolder(items: DataTransferItemList): Promise<PolicySource | null> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const [only] = entries;
  const files: FolderFile[] = [];
  if (only !== undefined && entries.length === 1 && isFolder(only)) {
    await walk(only, '', files, 0);
    return { kind: 'folder', name: only.name, files };
  }
  for (const entry of entries) await walk(entry, '', files, 0);
  return files.length === 0 ? null : { kind: 'folder', name: 'dropped files', files };
}

async function walk(entry: FileSystemEntry, path: string, files: FolderFile[], depth: number): Promise<void> {
  if (files.length >= MOST_FILES || depth > DEEPEST) return;
  if (isFile(entry)) {
    files.push({ path: `${path}${entry.name}`, blob: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) });
    return;
  }
  if (!isFolder(entry)) return;
  const below = depth === 0 ? path : `${path}${entry.name}/`;
  const reader = entry.createReader();
  // A reader gives a hundred at a time, and none when it is done.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const child of some) await walk(child, below, files, depth + 1);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
