/** Vite hands over the address of a file imported with `?url`; the compiler has to be told. */
declare module '*.wasm?url' {
  const url: string;
  export default url;
}
