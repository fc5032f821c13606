import type { PagePlan } from '../../src/messages/plan.ts';

export type DescribedPlan = { readonly plan: PagePlan; readonly text: string; readonly scans: readonly string[] };

/** What is read for a page in one direction, and in the other. */
const WALK = /JOIN LATERAL \(\n((?:(?!JOIN LATERAL \(\n)[\s\S])*)\n {6}\) x ON true/;

/** docs/history-plans.md, as the planner and PostgreSQL have it. */
export function describePlans(plans: readonly DescribedPlan[]): string {
  const [{ text: whole } = { text: '' }] = plans.filter(({ plan }) => plan.name === 'list');
  return [
    '# How pages of messages are read',
    '',
    'The first plan that fits a filter is taken. [history.md](history.md) says why there are these; the scans are those that PostgreSQL does in a',
    'conversation of 200,000 messages, backward from a place deep within.',
    '',
    ...plans.flatMap(({ plan, text, scans }) => [
      `## ${plan.name}`,
      '',
      plan.reason,
      ...(plan.isOpenEnded ? ['It runs on the connections for long statements, and ends when nobody waits for it any more.'] : []),
      '',
      ...scans.map((scan) => `- ${scan}`),
      '',
      '```sql',
      indented(walkOf(text)),
      '```',
      '',
    ]),
    '## The statement around them',
    '',
    'Here with the walk of `list`. One row of the second arrays is one page, and `k` names them; one of the first is somebody who asks for it, and `reader`',
    'has those who may read it. What is answered begins with them; then come the authors, and then the messages.',
    '',
    '```sql',
    indented(whole),
    '```',
    '',
  ].join('\n');
}

function walkOf(text: string): string {
  const walk = WALK.exec(text)?.[1];
  if (walk === undefined) throw new Error(`A page's statement must have a walk, got ${text}.`);
  return walk;
}

/** Without the indentation that all lines have. */
function indented(sql: string): string {
  const lines = sql.split('\n').filter((line) => line.trim() !== '');
  const depth = Math.min(...lines.map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(depth).trimEnd()).join('\n');
}
