import { fileURLToPath } from 'node:url';

/** Tables, in order. A file that was released is never edited. */
export const MIGRATIONS_DIRECTORY = path('../migrations');

/** Functions and views, which stand beside the store that calls them; a file may use what is in those before it. */
export const FUNCTION_FILES: readonly string[] = [
  path('./identity/functions.sql'),
  path('./conversations/functions.sql'),
  path('./messages/functions.sql'),
];

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
