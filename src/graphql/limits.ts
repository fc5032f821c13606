import { Kind, NoSchemaIntrospectionCustomRule, type ValidationContext, type ValidationRule } from 'graphql';
import { refusal } from './errors.ts';
import { rootFields } from './root-fields.ts';

/** How large a document may be, whoever sends it and by whatever transport. */
export const DOCUMENT_LIMITS = {
  charactersMax: 15_000,
  tokensMax: 1_000,
  depthMax: 10,
  /** `__typename` counts too. */
  aliasesMax: 15,
  directivesMax: 5,
  /**
   * By a count that knows no variables and no weights but those of depth (GraphQL Armor's): far above what anybody's limit allows, so it
   * only ends early what could never pass. See cost.ts for the count that matters.
   */
  roughCostMax: 50_000_000,
} as const;

/** Fields that guess secrets or are exempt from the depth limit: an operation selects each of them once, however it is written. */
const AT_MOST_ONCE = ['signIn', 'signUp', 'refreshSession', '__schema', '__type'];

/** Refuses a document that is too long to be worth parsing. */
export function checkDocumentLength(source: string): void {
  const { charactersMax } = DOCUMENT_LIMITS;
  if (source.length > charactersMax) {
    throw refusal('GRAPHQL_PARSE_FAILED', `A document must be at most ${charactersMax} characters, got ${source.length}.`);
  }
}

/** What holds for every document besides the rules of the specification. */
export function validationRules({ isIntrospectionEnabled }: { readonly isIntrospectionEnabled: boolean }): readonly ValidationRule[] {
  const rules: ValidationRule[] = [atMostOnce, noConditionOnSubscription];
  return isIntrospectionEnabled ? rules : [...rules, NoSchemaIntrospectionCustomRule];
}

function atMostOnce(context: ValidationContext): ReturnType<ValidationRule> {
  return {
    OperationDefinition(operation) {
      const counts = rootFields(context.getDocument(), operation);
      for (const name of AT_MOST_ONCE) {
        const count = counts.get(name) ?? 0;
        if (count > 1) {
          context.reportError(refusal('GRAPHQL_VALIDATION_FAILED', `An operation must select "${name}" at most once, got ${count}.`));
        }
      }
    },
  };
}

/** A subscription without its only field could not be executed at all. */
function noConditionOnSubscription(context: ValidationContext): ReturnType<ValidationRule> {
  return {
    OperationDefinition(operation) {
      if (operation.operation !== 'subscription') return;
      const pending = [...operation.selectionSet.selections];
      const seen = new Set<string>();
      for (let selection = pending.pop(); selection !== undefined; selection = pending.pop()) {
        const condition = selection.directives?.find(({ name }) => name.value === 'skip' || name.value === 'include');
        if (condition !== undefined) {
          const message = `A subscription must select its field unconditionally, got @${condition.name.value}.`;
          context.reportError(refusal('GRAPHQL_VALIDATION_FAILED', message));
          return;
        }
        if (selection.kind === Kind.INLINE_FRAGMENT) pending.push(...selection.selectionSet.selections);
        if (selection.kind !== Kind.FRAGMENT_SPREAD || seen.has(selection.name.value)) continue;
        seen.add(selection.name.value);
        pending.push(...(context.getFragment(selection.name.value)?.selectionSet.selections ?? []));
      }
    },
  };
}
