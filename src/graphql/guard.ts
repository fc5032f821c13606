import { defaultFieldResolver, type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import type { AccessRules, FieldRule, RootRule } from './access.ts';
import { type Context, requireOperator, requireViewer } from './context.ts';
import type { ResolversParentTypes } from './schema.generated.ts';
import { selectsOnlyTotalCount } from './total-count.ts';

type Conversation = Awaited<ResolversParentTypes['Conversation']>;

/** What the rules of a conversation's fields ask. Both answer the conversation as the viewer sees it, or NOT_FOUND. */
export type Guards = {
  /** To who may see that it exists. */
  readonly visible: (context: Context, conversation: Conversation) => Promise<Conversation>;
  /** To members. */
  readonly member: (context: Context, conversation: Conversation) => Promise<Conversation>;
};

type Resolve = GraphQLFieldResolver<unknown, Context>;

/** What is checked before anything else is done for a field of Query, Mutation or Subscription; null: nothing. What it throws is the answer. */
const ROOT_CHECKS: { readonly [Rule in RootRule]: ((context: Context) => unknown) | null } = {
  ANYONE: null,
  SIGNED_IN: requireViewer,
  SIGNED_IN_OR_SERVICE: (context) => context.isService || requireViewer(context),
  OPERATOR: requireOperator,
  OPERATOR_OR_DEVELOPMENT: requireOperator,
  SELF: requireViewer,
  FINDER: requireViewer,
  CHANNEL: requireViewer,
  MEMBER: requireViewer,
  FOLLOWER: requireViewer,
  MEMBER_OF_MANY: requireViewer,
  ROLE: requireViewer,
  AUTHOR: requireViewer,
  AUTHOR_OR_ROLE: requireViewer,
};

/**
 * Puts the check of its rule in front of every resolver, before its arguments are even looked at: so that a check forgotten in a resolver is
 * no hole, and no complaint about an argument tells an outsider what exists. Throws when a field has no rule.
 */
export function guardSchema(schema: GraphQLSchema, rules: AccessRules, guards: Guards, isDevelopment: boolean): void {
  const rootTypes = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      // AccessRules gives root types root rules and all others field rules.
      const rule = ruleOf(rules, type.name, field.name);
      if (!rootTypes.has(type)) field.resolve = guardField(rule as FieldRule, field.resolve ?? defaultFieldResolver, guards);
      // The events of a subscription are executed for who was let in; some executions answer many viewers and know none.
      else if (type === schema.getSubscriptionType())
        field.subscribe = guardRoot(rule as RootRule, field.subscribe ?? defaultFieldResolver, isDevelopment);
      else field.resolve = guardRoot(rule as RootRule, field.resolve ?? defaultFieldResolver, isDevelopment);
    }
  }
}

function ruleOf(rules: AccessRules, type: string, field: string): RootRule | FieldRule {
  const byType: Readonly<Record<string, Readonly<Record<string, RootRule | FieldRule>>>> = rules;
  const rule = byType[type]?.[field];
  if (rule === undefined) throw new Error(`${type}.${field} must have a rule in src/graphql/access.ts that says who may read it.`);
  return rule;
}

function guardRoot(rule: RootRule, resolve: Resolve, isDevelopment: boolean): Resolve {
  const check = rule === 'OPERATOR_OR_DEVELOPMENT' && isDevelopment ? null : ROOT_CHECKS[rule];
  if (check === null) return resolve;
  return (root, args, context, info) => {
    check(context);
    return resolve(root, args, context, info);
  };
}

function guardField(rule: FieldRule, resolve: Resolve, { visible, member }: Guards): Resolve {
  // Only a conversation's fields have the rules that are checked here, as AccessRules has it; so what they are asked of is a conversation.
  const resolveOf =
    (guardOf: (info: Parameters<Resolve>[3]) => Guards['member']): Resolve =>
    async (conversation, args, context, info) =>
      resolve(await guardOf(info)(context, conversation as Conversation), args, context, info);
  switch (rule) {
    case 'PARENT':
    case 'COMPANION':
      return resolve;
    case 'VISIBLE':
      return resolveOf(() => visible);
    case 'MEMBER':
      return resolveOf(() => member);
    case 'MEMBER_OR_TOTAL':
      return resolveOf((info) => (selectsOnlyTotalCount(info) ? visible : member));
  }
}
