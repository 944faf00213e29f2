/**
 * Tables in parquet, as much of it as LeRobot's datasets use. The one file that names the parquet packages. Knows columns and
 * rows; knows no dataset.
 */
import { parquetMetadataAsync, parquetReadObjects, type SchemaElement } from 'hyparquet';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';
import type { ByteFile } from './files.ts';

export type Column =
  | { readonly kind: 'int64'; readonly name: string; readonly data: readonly number[] }
  | { readonly kind: 'float' | 'double'; readonly name: string; readonly data: readonly number[] }
  | { readonly kind: 'string'; readonly name: string; readonly data: readonly string[] }
  /** A list of so many dimensions in every row. */
  | { readonly kind: 'list'; readonly name: string; readonly of: 'float' | 'double' | 'int64' | 'string'; readonly depth: 1 | 3; readonly data: readonly (readonly unknown[])[] }
  /** Encoded pictures as LeRobot embeds them. */
  | { readonly kind: 'picture'; readonly name: string; readonly data: readonly { readonly bytes: Uint8Array; readonly path: string }[] };

/** `groups`: rows of each row group; one group an episode lets a reader fetch that episode alone. */
export function writeTable(columns: readonly Column[], groups: readonly number[], metadata: Readonly<Record<string, string>> = {}): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  const schema: SchemaElement[] = [{ name: 'schema', num_children: columns.length }, ...columns.flatMap(elementsOf)];
  parquetWrite({
    writer,
    schema,
    columnData: columns.map(({ name, data, ...column }) => ({ name, data: column.kind === 'int64' ? (data as readonly number[]).map(BigInt) : [...data] })),
    rowGroupSize: [...groups],
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    createdBy: 'vla-playground',
  });
  return new Uint8Array(writer.getBuffer());
}

function elementsOf(column: Column): SchemaElement[] {
  const { name } = column;
  switch (column.kind) {
    case 'int64':
      return [leaf(name, 'int64', 'OPTIONAL')];
    case 'float':
    case 'double':
    case 'string':
      return [leaf(name, column.kind, 'OPTIONAL')];
    case 'list':
      return listOf(name, column.of, column.depth);
    case 'picture':
      return [
        { name, repetition_type: 'OPTIONAL', num_children: 2 },
        { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
        leaf('path', 'string', 'OPTIONAL'),
      ];
  }
}

/** The three-level list of the format: an optional group, a repeated one, the element. */
function listOf(name: string, of: 'float' | 'double' | 'int64' | 'string', depth: number): SchemaElement[] {
  return [
    { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...(depth === 1 ? [leaf('element', of, 'OPTIONAL')] : listOf('element', of, depth - 1)),
  ];
}

function leaf(name: string, kind: 'float' | 'double' | 'int64' | 'string', repetition_type: 'OPTIONAL'): SchemaElement {
  switch (kind) {
    case 'float':
      return { name, type: 'FLOAT', repetition_type };
    case 'double':
      return { name, type: 'DOUBLE', repetition_type };
    case 'int64':
      return { name, type: 'INT64', repetition_type };
    case 'string':
      return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' }, repetition_type };
  }
}

export interface ReadRows {
  readonly columns?: readonly string[];
  readonly from?: number;
  readonly to?: number;
}

/** Rows as objects. 64-bit whole numbers become numbers; the largest here is a row index. */
export async function readTable(file: ByteFile, { columns, from, to }: ReadRows = {}): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const rows = await parquetReadObjects({
    // Bytes that are not declared to be text stay bytes.
    utf8: false,
    file: { byteLength: file.size, slice: (start, end) => file.bytes(start, end ?? file.size) },
    ...(columns === undefined ? {} : { columns: [...columns] }),
    ...(from === undefined ? {} : { rowStart: from }),
    ...(to === undefined ? {} : { rowEnd: to }),
  });
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])));
}

export async function tableColumns(file: ByteFile): Promise<readonly string[]> {
  const { schema } = await parquetMetadataAsync({ byteLength: file.size, slice: (start, end) => file.bytes(start, end ?? file.size) });
  const names: string[] = [];
  // A preorder list: the children of the root are found by skipping the children of each of them.
  for (let i = 1; i < schema.length; ) {
    names.push((schema[i] as SchemaElement).name);
    for (let open = 1; open > 0; i++, open--) open += (schema[i] as SchemaElement).num_children ?? 0;
  }
  return names;
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return Array.isArray(value) ? value.map(plain) : value;
}
