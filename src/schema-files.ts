import { fileURLToPath } from 'node:url';

/** Tables, in order. A file that was released is never edited. */
export const MIGRATIONS_DIRECTORY = path('../migrations');

/** Functions and views, which stand beside the store that calls them; a file may use what is in those before it. */
export const FUNCTION_FILES: readonly string[] = [
  path('./identity/functions.sql'),
  path('./conversations/functions.sql'),
  path('./messages/functions.sql'),
  path('./messages/pages/functions.sql'),
  path('./search/functions.sql'),
];

/** The one table that grows without end, and how it may be spread; every statement names its conversation. */
export const PARTITIONED = { table: 'messages', column: 'conversation_id', views: ['message_rows'] } as const;

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
