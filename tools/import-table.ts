/** The table of rooms in `src/README.md` as data, and what it says of one import. Reads no file by itself. */
import type { ImportOf, SourceFile } from './source-files.ts';

type Manner = 'any' | 'types' | 'address';

export interface Room {
  /** Folder from the root of the repository. */
  readonly folder: string;
  /** Folders it may import from; `core/*` reads as every folder below. */
  readonly arrows: readonly { readonly folder: string; readonly below: 'this' | 'every'; readonly manner: Manner }[];
  /** Packages it may name; `file` (inside the room) where only one file may. */
  readonly packages: readonly { readonly name: string; readonly file: string | null }[];
}

/** Throws where a row cannot be read, so that a typing mistake is not a hole in the rule. */
export function readImportTable(markdown: string): readonly Room[] {
  const rows = markdown.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => {
    const cells = row.split('|').slice(1, -1).map((cell) => cell.trim());
    const [name = '', , arrows = '', packages = ''] = cells;
    const folder = /^`([\w/-]+)`$/.exec(name)?.[1];
    if (cells.length !== 4 || folder === undefined) throw new Error(`src/README.md: cannot read the row ${row}`);
    return {
      folder,
      arrows: readCell(arrows, /`([\w/-]+)(\/\*)?`(?: \((types|by address)\))?/y).map(([, room = '', star, manner]) => ({
        folder: roomFolder(room),
        below: star === undefined ? 'this' : 'every',
        manner: manner === 'types' ? 'types' : manner === 'by address' ? 'address' : 'any',
      })),
      packages: readCell(packages, /`([@\w/:.-]+)`(?: in `([\w/.-]+)`)?/y).map(([, name = '', file]) => ({ name, file: file ?? null })),
    };
  });
}

function readCell(cell: string, item: RegExp): readonly RegExpExecArray[] {
  if (cell === '-') return [];
  const found: RegExpExecArray[] = [];
  for (item.lastIndex = 0; item.lastIndex < cell.length; ) {
    const at = item.lastIndex;
    const match = item.exec(cell);
    if (match === null) throw new Error(`src/README.md: cannot read "${cell.slice(at)}"`);
    found.push(match);
    while (cell[item.lastIndex] === ' ') item.lastIndex += 1;
  }
  return found;
}

function roomFolder(name: string): string {
  return /^(?:contracts|core|page)\b/.test(name) ? `src/${name}` : name;
}

export function roomOf(rooms: readonly Room[], file: string): Room | null {
  const fitting = rooms.filter((room) => file.startsWith(`${room.folder}/`));
  return fitting.reduce<Room | null>((longest, room) => (longest === null || room.folder.length > longest.folder.length ? room : longest), null);
}

/** What is wrong with a file's imports, one line each; empty when all is well. */
export function brokenArrows(rooms: readonly Room[], file: Pick<SourceFile, 'path' | 'imports'>): readonly string[] {
  const room = roomOf(rooms, file.path);
  if (room === null) return [`${file.path} stands in no room of src/README.md`];
  return file.imports.flatMap((one) => {
    const wrong = one.file === null ? wrongPackage(room, file.path, one) : wrongFile(rooms, room, one.file, one);
    return wrong === null ? [] : [`${file.path} -> ${one.specifier}: ${wrong}`];
  });
}

function wrongFile(rooms: readonly Room[], from: Room, file: string, { specifier, how }: ImportOf): string | null {
  // A file of the page's host or of a package (`public/`, `node_modules/`) named by its address is no import of code.
  if (how === 'address' && !/\.tsx?$/.test(file)) return null;
  if (!specifier.includes('?') && !/\.(?:tsx?|css|json)$/.test(specifier)) return 'the ending of the file is missing';
  const to = roomOf(rooms, file);
  if (to === null) return `${file} stands in no room of src/README.md`;
  if (to.folder === from.folder) return null;
  if (specifier.startsWith('.') && how !== 'address' && from.folder.startsWith('src/')) return 'rooms name each other by #, not by a relative path';
  const arrow = from.arrows.find((one) => one.folder === to.folder || (one.below === 'every' && to.folder.startsWith(`${one.folder}/`)));
  if (arrow === undefined) return `${from.folder} may not import ${to.folder}`;
  switch (arrow.manner) {
    case 'any':
      return null;
    case 'types':
      return how === 'types' ? null : `${from.folder} may import types only from ${to.folder}`;
    case 'address':
      return how === 'address' || how === 'types' ? null : `${from.folder} may only name the address of ${to.folder}`;
  }
}

function wrongPackage(room: Room, path: string, { specifier, how }: ImportOf): string | null {
  if (specifier.startsWith('node:')) return room.folder === 'tools' || room.folder === 'e2e' ? null : `${room.folder} runs in the browser: no Node`;
  const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  const allowed = room.packages.filter((one) => one.name === name);
  if (allowed.length === 0) return `${room.folder} may not name the package ${name}`;
  if (how === 'types' || allowed.some((one) => one.file === null || `${room.folder}/${one.file}` === path)) return null;
  return `only ${allowed.map((one) => one.file).join(', ')} of ${room.folder} may name ${name}`;
}

/** Circles in the imports of values, each as the files along it. Types leave no trace at run time and may meet. */
export function importCycles(files: readonly Pick<SourceFile, 'path' | 'imports'>[]): readonly (readonly string[])[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const cycles: string[][] = [];
  const visit = (path: string): void => {
    const file = byPath.get(path);
    if (file === undefined || state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path]);
      return;
    }
    state.set(path, 'open');
    trail.push(path);
    for (const one of file.imports) if (one.how === 'value' && one.file !== null) visit(one.file);
    trail.pop();
    state.set(path, 'done');
  };
  for (const file of files) visit(file.path);
  return cycles;
}
