/**
 * Two USB cameras whose plugs can change places while the page looks. Chromium's fake camera plays one file on one device, and two
 * of its drawn ones look alike, so here each camera is a canvas that shows bars or rings, moving a little like a hand that holds it.
 * Knows what a browser is asked for cameras; everything behind the stream of frames is the page's own.
 */
import type { Page } from '@playwright/test';

declare global {
  interface Window {
    /** Each device shows from now on what the other one showed. */
    changePlugs(): void;
  }
}

export async function plugInTwoCameras(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const plugs: Record<string, 'bars' | 'rings'> = { one: 'bars', two: 'rings' };
    const label = (id: string): string => `USB camera ${id}`;
    const draw = (canvas: HTMLCanvasElement, view: 'bars' | 'rings'): void => {
      const pen = canvas.getContext('2d') as CanvasRenderingContext2D;
      const shift = 6 * Math.sin(performance.now() / 300);
      pen.fillStyle = '#203040';
      pen.fillRect(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < 6; i++) {
        pen.fillStyle = `rgb(${90 + 25 * i} 190 ${220 - 25 * i})`;
        if (view === 'bars') pen.fillRect(i * 110 + 20 + shift, 0, 50, canvas.height);
        else {
          pen.beginPath();
          pen.arc(320 + shift, 240, 240 - 40 * i, 0, 2 * Math.PI);
          pen.fill();
        }
      }
    };
    const open = (id: string): MediaStream => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
      draw(canvas, plugs[id] ?? 'bars');
      const stream = canvas.captureStream(30);
      const [track] = stream.getVideoTracks();
      if (track === undefined) throw new Error('a canvas without a track');
      const settings = track.getSettings.bind(track);
      track.getSettings = () => ({ ...settings(), deviceId: id });
      Object.defineProperty(track, 'label', { value: label(id) });
      const timer = setInterval(() => draw(canvas, plugs[id] ?? 'bars'), 33);
      track.addEventListener('ended', () => clearInterval(timer));
      return stream;
    };
    navigator.mediaDevices.enumerateDevices = async () => Object.keys(plugs).map((id): MediaDeviceInfo => ({ kind: 'videoinput', deviceId: id, groupId: id, label: label(id), toJSON: () => ({}) }));
    navigator.mediaDevices.getUserMedia = async (asked) => {
      const { deviceId } = (asked?.video ?? {}) as { readonly deviceId?: { readonly exact?: string } };
      return open(deviceId?.exact ?? 'one');
    };
    window.changePlugs = () => void ([plugs['one'], plugs['two']] = [plugs['two'] ?? 'bars', plugs['one'] ?? 'rings']);
  });
}
