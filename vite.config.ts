/**
 * How the page is built and developed. Knows where things go; the headers come from `workers/isolation/headers.ts`.
 *
 * `base: './'` keeps every address relative, so that `dist/` works under any sub-path of any host.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Connect, type Plugin } from 'vite';
import { securityHeaders } from './workers/isolation/headers.ts';

const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, 'package.json'), 'utf8')) as { readonly version: string };

/** The same headers while developing and previewing as `npm start` sends. */
function isolation(): Plugin {
  const middleware =
    (served: 'build' | 'development'): Connect.NextHandleFunction =>
    (request, response, next) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      for (const [name, value] of Object.entries(securityHeaders({ path, served }))) response.setHeader(name, value);
      next();
    };
  return {
    name: 'isolation-headers',
    configureServer: (server) => void server.middlewares.use(middleware('development')),
    configurePreviewServer: (server) => void server.middlewares.use(middleware('build')),
  };
}

/** `workers/world/entry.ts` becomes `assets/world-worker-<hash>.js`: the server tells the world worker by its name. */
function workerFileName(chunk: { readonly facadeModuleId?: string | null }): string {
  const room = /\/workers\/(\w+)\/[^/]+$/.exec(chunk.facadeModuleId ?? '')?.[1];
  return `assets/${room === undefined ? '[name]' : `${room}-worker`}-[hash].js`;
}

export default defineConfig({
  base: './',
  define: { __APP_VERSION__: JSON.stringify(version) },
  plugins: [react(), isolation()],
  worker: { format: 'es', rollupOptions: { output: { entryFileNames: workerFileName } } },
  build: {
    target: 'es2023',
    // WASM and policies are files of their own, never text inside a script.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
  },
  // Their loaders find their .wasm by import.meta.url, which pre-bundling would move.
  optimizeDeps: { exclude: ['onnxruntime-web', '@mujoco/mujoco'] },
  server: { host: '127.0.0.1' },
  preview: { host: '127.0.0.1' },
});
