/** Hands a person a file, by a link that asks to be saved. */
export function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the blob after the click returns: let go at once, a large file may come out empty.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Most of what is saved here is JSON, written out already. */
export function saveJson(text: string, name: string): void {
  saveFile(new Blob([text], { type: 'application/json' }), name);
}
