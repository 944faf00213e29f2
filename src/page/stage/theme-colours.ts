/**
 * The page's colours as three.js wants them. The page's style sheet defines them once, as CSS variables that may use
 * `light-dark()`; this file asks the browser what they come to in an element, and refuses to hold a colour of its own
 * beyond a neutral grey for a page that defines none.
 */
import * as THREE from 'three';

const NEUTRAL = '#8a9096';

/** The value of a CSS colour variable inside `element`, resolved by the browser. */
export function cssColour(element: HTMLElement, variable: `--${string}`): THREE.Color {
  const probe = document.createElement('span');
  probe.style.display = 'none';
  probe.style.color = `var(${variable}, ${NEUTRAL})`;
  element.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return parseColour(resolved);
}

/** `rgb(...)` as every browser writes plain colours; `color(srgb ...)` as Chrome writes mixed ones. */
export function parseColour(text: string): THREE.Color {
  const numbers = (text.match(/-?[\d.]+(?:e-?\d+)?%?/g) ?? []).map((part) => (part.endsWith('%') ? Number(part.slice(0, -1)) / 100 : Number(part)));
  const [r = 0.5, g = 0.5, b = 0.5] = text.startsWith('color(srgb') ? numbers : numbers.map((value) => value / 255);
  return new THREE.Color().setRGB(r, g, b, THREE.SRGBColorSpace);
}
