import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory for an embedded database, deleted in the end with all that is in it, wherever it came to lie. */
export function createEmbeddedDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'rookery-test-'));
  chmodSync(path, 0o711); // As root the database runs as another user, who has to get in.
  return {
    path,
    [Symbol.dispose]() {
      // A link when not even that helped: see reachableHome.
      const home = join(path, 'postgres');
      if (existsSync(home)) rmSync(realpathSync(home), { recursive: true, force: true });
      rmSync(path, { recursive: true, force: true });
    },
  };
}
