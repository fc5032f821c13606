import type { DedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import { bodyOf, contentOf } from './content.ts';
import type { Observation } from './observation.ts';

/** What was acknowledged and is not there: sends by their keys, which differ from one another, edits by their contents, which do too. */
export async function findLost({ sql }: DedicatedConnection, observations: readonly Observation[]): Promise<string[]> {
  const sends = new Map<string, number>();
  const edits = new Set<string>();
  for (const each of observations) {
    if (each.kind === 'send' && each.answer.outcome === 'acknowledged') sends.set(each.key, each.answer.sequence);
    if (each.kind === 'change' && each.change === 'edit' && each.answer.outcome === 'acknowledged' && each.content !== undefined)
      edits.add(each.content);
  }
  const rows = await sql<{ key: string; sequence: number }[]>`
    SELECT client_message_id AS key, sequence::integer FROM messages WHERE client_message_id IN (SELECT jsonb_array_elements_text(${JSON.stringify([...sends.keys()])}::text::jsonb))`;
  const found = new Map(rows.map(({ key, sequence }) => [key, sequence]));
  const lost = [...sends].filter(([key, sequence]) => found.get(key) !== sequence);
  const kept = await sql<{ content: string }[]>`
    SELECT content FROM observed_changes WHERE change = 'edit' AND content IN (SELECT jsonb_array_elements_text(${JSON.stringify([...edits].map(bodyOf))}::text::jsonb))`;
  const keptContents = new Set(kept.map(({ content }) => contentOf(content)));
  return [
    ...say(
      'message',
      lost.map(([key, sequence]) => `${sequence} under ${key}`),
    ),
    ...say(
      'edit',
      [...edits].filter((content) => !keptContents.has(content)),
    ),
  ];
}

function say(what: string, lost: readonly string[]): readonly string[] {
  return lost.length === 0 ? [] : [`${lost.length} acknowledged ${what}${lost.length === 1 ? ' is' : 's are'} gone, such as ${lost[0]}.`];
}
