// The limit of bench/over-http.ts, in a process of its own: `node:http` and one statement, whose rows are the answer. CONNECTION_STRING and
// CONNECTIONS as for its rival; CONVERSATION: the key of the one it tells of.

import { createServer } from 'node:http';
import process from 'node:process';
import postgres from 'postgres';
import { optionsOf } from './connection-string.ts';

const { url, options } = optionsOf(process.env['CONNECTION_STRING'] ?? '');
const sql = postgres(url, { ...options, max: Number(process.env['CONNECTIONS'] ?? 4), onnotice: () => {} });
const conversation = Number(process.env['CONVERSATION']);

type Request = { readonly before: number | null; readonly author: string | null };

const server = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (piece: string) => {
    text += piece;
  });
  request.on('end', () => {
    const { before, author }: Request = JSON.parse(text); // Of our own bench.
    answer(before ?? Number.MAX_SAFE_INTEGER, author).then(
      (rows) => {
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ data: { messages: rows } }));
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
});

function answer(before: number, author: string | null): Promise<readonly unknown[]> {
  if (author === null)
    return sql`
      SELECT m.sequence, m.position, m.body, m.created_at, u.public_id, u.handle, u.display_name
        FROM (SELECT x.* FROM messages x
               WHERE x.conversation_id = ${conversation}::bigint AND x.sequence > 0
                 AND (coalesce(x.thread_root, 0), x.sequence) > (0, 0) AND (coalesce(x.thread_root, 0), x.sequence) < (0, ${before}::bigint)
               ORDER BY coalesce(x.thread_root, 0) DESC, x.sequence DESC LIMIT 51) m,
             LATERAL (SELECT u.* FROM users u WHERE u.id = m.author_id OFFSET 0) u`;
  return sql`
    SELECT m.sequence, m.position, m.body, m.created_at, u.public_id, u.handle, u.display_name
      FROM users u, LATERAL (SELECT m.* FROM messages m
                              WHERE m.conversation_id = ${conversation}::bigint AND coalesce(m.thread_root, 0) = 0 AND m.author_id = u.id AND m.sequence < ${before}::bigint
                              ORDER BY m.sequence DESC LIMIT 51) m
     WHERE u.public_id = ${author}::uuid`;
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}/graphql\n`);
});
