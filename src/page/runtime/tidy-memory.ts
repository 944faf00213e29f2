/**
 * Makes the browser tidy this page's memory now. A frame of a camera that was lost while a stream was moved (`real-cameras.ts`) counts as held
 * until then, and Chromium sends nothing more of a camera once two of its frames are held: it looks dead, and is back the moment the
 * frame is tidied away. Chromium tidies when much was allocated outside its heap: of 27 stopped cameras all were back after 80 to
 * 208 MB of it; after 20 seconds of waiting none of three (`evidence/recording.md`). What is allocated is never written to, so no
 * memory is really taken.
 */

const PIECE_BYTES = 16 << 20;
const PIECES = 24;

/** Takes some tens of milliseconds, with turns for everything else between. */
export async function tidyMemory(): Promise<void> {
  for (let piece = 0; piece < PIECES; piece++) {
    void new ArrayBuffer(PIECE_BYTES);
    await new Promise((turn) => setTimeout(turn, 0));
  }
}
