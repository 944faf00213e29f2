/** A leader arm, told with the one of software servos: found by the hand that turns it, followed slowly and then closely, and not after Stop. */
import { open, type App } from './app.ts';
import { expect, test, type Site } from './site.ts';
import { heldAfter, seenTicks, watchTicks } from './ticks.ts';

const JOINTS = ['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper'] as const;
type Joint = (typeof JOINTS)[number];

const panel = (app: App) => app.page.getByTestId('leader');
const step = (app: App): Promise<string | null> => panel(app).getAttribute('data-step');
const mode = async (app: App): Promise<string> => (await app.state()).arm.mode;
const slider = (app: App, joint: Joint) => app.page.getByTestId(`leader-${joint}`);

/** A hand turns a joint of the leader: its slider is clicked there, 0 at its left end and 1 at its right one. */
async function turn(app: App, joint: Joint, share: number): Promise<void> {
  await slider(app, joint).scrollIntoViewIfNeeded();
  const box = await slider(app, joint).boundingBox();
  if (box === null) throw new Error('no slider');
  await app.page.mouse.click(box.x + box.width * share, box.y + box.height / 2);
}

/** Degrees between the follower's joints and the leader's, the most of any. */
async function apart(app: App, of: 'target' | 'measured'): Promise<number> {
  const leader = await Promise.all(JOINTS.map(async (joint) => Number(await slider(app, joint).inputValue())));
  const follower = (await app.state()).arm[of] ?? [];
  return Math.max(...leader.map((angle, i) => Math.abs(angle - (follower[i] ?? Number.NaN))));
}

/** The largest change of a joint's target between two ticks, radians, of all ticks after this one. */
async function largestStep(app: App, from: number): Promise<number> {
  const ticks = (await seenTicks(app)).filter(({ tick }) => tick >= from);
  return Math.max(0, ...ticks.slice(1).map(({ target }, k) => Math.max(...target.map((p, i) => Math.abs(p - (ticks[k]?.target[i] ?? p))))));
}

const lastTick = async (app: App): Promise<number> => (await seenTicks(app)).at(-1)?.tick ?? 0;

async function besideHer(site: Site): Promise<App> {
  const visit = await site.visit();
  // A processor that also draws may let the page be silent for a second; the arm holds then, and says so.
  visit.expectComplaint(/page-silent|control\/state-stale/);
  // No motion here is a policy's. It is loaded all the same, and what loads takes a core from what is told.
  const app = await open(visit, { query: 'engine=wasm', until: 'policy' });
  await app.page.getByTestId('mode-robot').click();
  await watchTicks(app);
  return app;
}

for (const follower of ['simulated', 'virtual'] as const) {
  test(`She turns a joint of the leader, and the ${follower === 'simulated' ? 'simulated arm' : 'arm of servos'} goes where it goes, until she presses Stop`, async ({ site }) => {
    test.setTimeout(300_000);
    const app = await besideHer(site);
    const { page } = app;
    if (follower === 'virtual') {
      await page.getByTestId('connect-servos').click();
      await expect(page.getByTestId('arm-kind')).toHaveAttribute('data-kind', 'virtual', { timeout: 30_000 });
      // On a machine that is this busy a silent page may hold the arm, and not end the story.
      await app.play(async (playground) => {
        const profile = await playground.safety.profile();
        await playground.safety.setProfile({ ...profile, real: { ...profile.real, surroundings: 'hold' } });
      });
    }
    await expect.poll(() => mode(app), { timeout: 20_000 }).toMatch(/idle|manual/);

    await page.getByTestId('leader-find').click();
    await expect.poll(() => step(app), { timeout: 30_000 }).toBe('finding');
    const before = (await app.state()).arm.target;
    await turn(app, 'elbow_flex', 0.4);
    await expect.poll(() => step(app), { timeout: 30_000 }).toBe('ready');
    await expect(panel(app)).toContainText(/its elbow/);
    // Found, and nobody goes along.
    expect((await app.state()).arm.target).toEqual(before);
    await turn(app, 'shoulder_pan', 0.65);

    const from = await lastTick(app);
    await page.getByTestId('leader-follow').click();
    await expect.poll(() => step(app), { timeout: 90_000 }).toBe('following');
    await expect.poll(() => apart(app, 'target'), { timeout: 30_000 }).toBeLessThan(1);
    // The way there is gone at 20 degrees a second; only its last three degrees are made up faster, as far as three degrees let the arm speed up.
    expect(await largestStep(app, from)).toBeLessThan(0.8 / 30);

    await turn(app, 'shoulder_pan', 0.4);
    await turn(app, 'wrist_roll', 0.7);
    await expect.poll(() => apart(app, 'target'), { timeout: 60_000, message: 'the follower did not come to the leader' }).toBeLessThan(1);
    await expect.poll(() => apart(app, 'measured'), { timeout: 30_000, message: 'the arm did not come to its targets' }).toBeLessThan(5);

    const far = (await app.state()).arm.target?.[0] ?? 0;
    await turn(app, 'shoulder_pan', 0.7);
    await expect.poll(async () => Math.abs(((await app.state()).arm.target?.[0] ?? 0) - far), { timeout: 30_000, intervals: [50] }).toBeGreaterThan(3);
    await app.stop.click();
    await expect.poll(() => mode(app), { timeout: 15_000 }).toBe('stopped');
    await heldAfter(app, await lastTick(app));
    const frozen = (await app.state()).arm.target;
    await turn(app, 'shoulder_pan', 0.3);
    await heldAfter(app, await lastTick(app));
    expect((await app.state()).arm.target).toEqual(frozen);
    // Going on goes on holding; following is asked for again.
    await page.getByTestId('go-on').click();
    await expect.poll(() => mode(app), { timeout: 15_000 }).toBe('idle');
    await expect.poll(() => step(app), { timeout: 15_000 }).toBe('ready');
    await heldAfter(app, await lastTick(app));
    expect((await app.state()).arm.target).toEqual(frozen);
    expect(await largestStep(app, from)).toBeLessThan(0.067);
    await page.getByTestId('leader-end').click();
    await expect.poll(() => step(app)).toBe('none');
  });
}
