import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as eslintPlugin from '@graphql-eslint/eslint-plugin';
import { ESLint, type Linter } from 'eslint';
import { type ASTNode, buildASTSchema, concatAST, Kind, parse, printSchema, visit } from 'graphql';
import { describe, expect, test } from 'vitest';
import { readTypeDefs } from '../../src/graphql/schema.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const document = concatAST(readTypeDefs().map((text) => parse(text)));

describe('the public schema', () => {
  test('describes every type, field, argument, value and input field in full sentences', () => {
    const described: string[] = [];
    const wanting: string[] = [];
    visit(document, {
      enter(node, _key, _parent, _path, ancestors) {
        if (!isDescribable(node)) return;
        const name = [...ancestors.filter(isNamed), node].map((part) => (isNamed(part) ? part.name.value : '')).join('.');
        const text = node.description?.value ?? '';
        (/^[A-Z0-9].*[.]$/s.test(text) ? described : wanting).push(name);
      },
    });
    expect(wanting).toEqual([]);
    expect(described).toContain('Conversation.messages.aroundSize');
    expect(described).toContain('MarkReadInput.allowMoveBack');
  });

  test('follows the rules of graphql-eslint for schemas and for Relay', async () => {
    expect(await lint(['schema/*.graphql'])).toEqual([]);
  });

  test('is accepted by the Relay compiler, with pages, refetching and appended edges', () => {
    const { status, output, artifacts } = compileWithRelay();
    expect(output).not.toMatch(/error/i);
    expect(status).toBe(0);
    expect(artifacts).toEqual([
      'App_conversation.graphql.ts',
      'App_messages.graphql.ts',
      'AppMessagesQuery.graphql.ts',
      'AppQuery.graphql.ts',
      'AppSendMutation.graphql.ts',
      'AppSubscription.graphql.ts',
    ]);
  });
});

type Described = ASTNode & { readonly name: { readonly value: string }; readonly description?: { readonly value: string } | undefined };

/** What a reader meets in the documentation; an extension only adds to a type that is described elsewhere. */
function isDescribable(node: ASTNode): node is Described {
  return /Definition$/.test(node.kind) && node.kind !== Kind.OPERATION_DEFINITION && node.kind !== Kind.FRAGMENT_DEFINITION;
}

function isNamed(node: unknown): node is Described {
  return typeof node === 'object' && node !== null && 'name' in node;
}

async function lint(files: string[]): Promise<readonly string[]> {
  // The plugin's types were written for an older ESLint; parser and rules are the same objects at run time.
  const plugin = eslintPlugin as unknown as { readonly parser: Linter.Parser; readonly rules: NonNullable<ESLint.Plugin['rules']> };
  const { configs } = eslintPlugin as unknown as { readonly configs: Readonly<Record<string, { readonly rules: Linter.RulesRecord }>> };
  const { 'flat/schema-recommended': recommended, 'flat/schema-relay': relay } = configs;
  expect([recommended, relay]).not.toContain(undefined);
  const eslint = new ESLint({
    cwd: root,
    overrideConfigFile: true,
    overrideConfig: {
      files: ['schema/*.graphql'],
      plugins: { '@graphql-eslint': { rules: plugin.rules } },
      languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: 'schema/*.graphql' } } },
      rules: {
        ...recommended?.rules,
        ...relay?.rules,
        // Payloads, edges and events are values, not objects with an id.
        '@graphql-eslint/strict-id-in-types': 'off',
        // The conversation's messages are read both ways, all other lists forward.
        '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
        // Connections offer `nodes` beside `edges`.
        '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
      },
    },
  });
  const results = await eslint.lintFiles(files);
  expect(results.length).toBe(readTypeDefs().length);
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ line, ruleId, message }) => `${filePath.slice(root.length)}:${line} ${ruleId} ${message}`),
  );
}

function compileWithRelay(): { readonly status: number | null; readonly output: string; readonly artifacts: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-relay-'));
  try {
    mkdirSync(join(folder, 'src/artifacts'), { recursive: true });
    writeFileSync(join(folder, 'schema.graphql'), printSchema(buildASTSchema(document)));
    writeFileSync(join(folder, 'src/App.ts'), RELAY_APP);
    writeFileSync(
      join(folder, 'relay.config.json'),
      JSON.stringify({
        src: 'src',
        schema: 'schema.graphql',
        language: 'typescript',
        artifactDirectory: 'src/artifacts',
        customScalarTypes: { DateTime: 'string', Cursor: 'string', EventCursor: 'string' },
      }),
    );
    // The package says where its binary for this platform is; it has no types.
    const binary: unknown = createRequire(import.meta.url)('relay-compiler');
    const { status, stdout, stderr } = spawnSync(String(binary), ['relay.config.json'], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { status, output: `${stdout}${stderr}`, artifacts: readdirSync(join(folder, 'src/artifacts')).sort(inAnyCase) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inAnyCase(a: string, b: string): number {
  return a.toLowerCase() < b.toLowerCase() ? -1 : 1;
}

/** What a Relay client of a chat would write. */
const RELAY_APP = `
graphql\`
  query AppQuery($id: ID!) {
    viewer { id tier unreadConversationCount cursor
      conversations(first: 20) @connection(key: "App_conversations") { edges { node { ...App_conversation } } } }
    node(id: $id) { ...App_messages @alias }
  }
\`;
graphql\`fragment App_conversation on Conversation { id kind viewerTitle viewerUnreadCount lastMessage { body createdAt } }\`;
graphql\`
  fragment App_messages on Conversation
  @argumentDefinitions(last: { type: "Int", defaultValue: 20 }, before: { type: "Cursor" })
  @refetchable(queryName: "AppMessagesQuery") {
    cursor
    messages(last: $last, before: $before) @connection(key: "App_messages") { edges { node { id position bodyHtml author { handle } } } }
  }
\`;
graphql\`
  mutation AppSendMutation($connections: [ID!]!, $input: SendMessageInput!) {
    sendMessage(input: $input) { messageEdge @appendEdge(connections: $connections) { cursor node { id clientMessageId body } } }
  }
\`;
graphql\`
  subscription AppSubscription($connections: [ID!]!, $after: EventCursor) {
    viewerEvents(after: $after) {
      __typename sequence previousSequence cursor
      ... on MessageSent { messageEdge @appendEdge(connections: $connections) { cursor node { id body } } }
      ... on MessageChanged { message { id body deletedAt } messageChange }
      ... on MemberChanged { member { id } memberChange }
    }
  }
\`;
`;
