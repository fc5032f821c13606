import { BODY_LENGTH_MAX } from '../messages/message.ts';
import { codePointLength } from '../platform/text.ts';
import type { Language } from './languages.ts';
import type { Random } from './random.ts';

const LONG_LENGTH_MAX = 9_000;

/** A body as somebody might write it: mostly a line or two, sometimes Markdown, now and then very long or hard to store. */
export function writeBody(random: Random, language: Language): string {
  const dice = random.fraction();
  if (dice < 0.62) return sentences(random, language, random.whole(1, 2));
  if (dice < 0.84) return sentences(random, language, random.whole(3, 7));
  if (dice < 0.95) return random.one(MARKDOWN)(random, language);
  if (dice < 0.985) return `${random.one(NASTY)}${sentences(random, language, 1)}`;
  return long(random, language);
}

/** The same body as its author might mend it: never the same. */
export function editBody(random: Random, language: Language, body: string): string {
  const edited = `${body}${body.endsWith('\n') ? '' : '\n\n'}*${sentences(random, language, 1)}*`;
  return codePointLength(edited) <= BODY_LENGTH_MAX ? edited : sentences(random, language, 2);
}

export function sentences(random: Random, language: Language, count: number): string {
  return Array.from({ length: count }, () => random.one(language.sentences)).join(language.space);
}

/** Paragraphs with headings, up to thousands of characters. */
function long(random: Random, language: Language): string {
  const lengthMin = random.whole(1_500, LONG_LENGTH_MAX);
  const parts: string[] = [];
  for (let length = 0; length < lengthMin; ) {
    const part = `${random.chance(0.2) ? `## ${random.one(language.titles)}\n\n` : ''}${sentences(random, language, random.whole(4, 9))}`;
    parts.push(part);
    length += part.length + 2;
  }
  return parts.join('\n\n');
}

const MARKDOWN: readonly ((random: Random, language: Language) => string)[] = [
  (random, language) =>
    Array.from({ length: random.whole(2, 6) }, (_, index) => `${index % 3 === 2 ? '  - ' : '- '}${sentences(random, language, 1)}`).join(
      '\n',
    ),
  (random, language) =>
    `${sentences(random, language, 1)}\n\n\`\`\`ts\nconst limit = ${random.whole(1, 500)};\nfor (const each of rows) {\n\tif (each.count > limit) throw new Error(\`too many: \${each.name}\\n\`);\n}\n\`\`\``,
  (random, language) => `> ${sentences(random, language, 1)}\n\n**${sentences(random, language, 1)}** ${sentences(random, language, 2)}`,
  (random, language) =>
    `1. ${sentences(random, language, 1)}\n2. \`SELECT count(*) FROM harvest WHERE year = ${random.whole(1990, 2024)}\`\n3. ${sentences(random, language, 1)}`,
  (random, language) =>
    `| # | ms |\n|---|---:|\n| p50 | ${random.whole(1, 20)} |\n| p99 | ${random.whole(20, 400)} |\n\n${sentences(random, language, 1)}`,
  (random, language) => `${sentences(random, language, 1)} [→](https://example.com/notes/${random.whole(1, 9_999)}?a=1&b=2#part)`,
];

/** What has to survive every layer between here and a screen. */
export const NASTY: readonly string[] = [
  'C:\\new\\table\\row\\0 ',
  '\\N is no null, and \\. is no end\n\\.\n',
  '\tA tab, a "quote", an \'apostrophe\', a comma, and a line\r\nfrom Windows. ',
  '<script>alert("no")</script> & <b onmouseover=alert(1)>bold</b> [x](javascript:alert(1)) ',
  "Robert'); DROP TABLE messages;-- ",
  '👩🏽‍🚀👨‍👩‍👧‍👦🏳️‍🌈 ﷽ e\u0301 \u0130\u0131 \u{1F9FF} ',
  'Z\u0351\u036b\u0343a\u0321\u0353l\u0356g\u0324o\u0317 ',
  '\u202bمن اليمين\u202c to left, \u200bzero width, \ufeffmark ',
  '{"body": "[[\\"👍\\",1]]", "null": null} {1,2,NULL} ',
  `%s %d \${x} {{y}} $1 :name ?`,
];
