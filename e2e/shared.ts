/** One page for all stories of a file: the policy is loaded once, and each story begins at a fresh table. */
import { freshTable, open, type App } from './app.ts';
import { newSite, test, type Damage, type Site } from './site.ts';

export interface SharedOptions {
  /** Everything after the question mark. */
  readonly query: string;
  readonly replace?: Damage;
}

/** Call once at the top of a spec. What comes back is the page of the story that runs; before the first there is none. */
export function sharedApp({ query, replace }: SharedOptions): App {
  let site: Site | null = null;
  let app: App | null = null;
  test.beforeAll(async ({ browser }) => {
    test.setTimeout(300_000);
    site = newSite(browser);
    app = await open(await site.visit(replace === undefined ? {} : { replace }), { query, until: 'policy' });
  });
  test.beforeEach(async () => {
    if (app !== null) await freshTable(app);
  });
  test.afterAll(async () => {
    await site?.close();
  });
  return new Proxy({} as App, {
    get(_, name) {
      if (app === null) throw new Error('the page is not open yet');
      return Reflect.get(app, name) as unknown;
    },
  });
}
