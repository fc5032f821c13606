import type { Plugin } from '@envelop/core';
import { EnvelopArmor } from '@escape.tech/graphql-armor';
import { Kind, type OperationDefinitionNode, type ValidationContext, type ValidationRule } from 'graphql';
import type { LimitsMode } from '../config.ts';
import { refusal } from '../graphql/errors.ts';
import { checkDocumentLength, DOCUMENT_LIMITS, validationRules } from '../graphql/limits.ts';

const OFF = { enabled: false } as const;
const ALL_OFF = {
  blockFieldSuggestion: OFF,
  costLimit: OFF,
  maxAliases: OFF,
  maxDepth: OFF,
  maxDirectives: OFF,
  maxTokens: OFF,
};

export type DocumentLimitsOptions = {
  readonly isIntrospectionEnabled: boolean;
  readonly limitsMode: LimitsMode;
  /** Told of each document beyond a limit, whether it is refused or not. */
  readonly onExceeded: (limit: string) => void;
};

/** GraphQL Armor and our own rules. They run in parsing and validation, which every transport shares. */
export function documentLimits({ limitsMode, onExceeded, ...options }: DocumentLimitsOptions): readonly Plugin[] {
  const own: Plugin = {
    onParse: ({ params }) => checkDocumentLength(String(params.source)),
    onValidate({ addValidationRule }) {
      for (const rule of validationRules(options)) addValidationRule(rule);
    },
  };
  return limitsMode === 'off' ? [own] : [own, ...armorLimits(limitsMode, onExceeded)];
}

function armorLimits(limitsMode: 'enforce' | 'measure', onExceeded: (limit: string) => void): readonly Plugin[] {
  /** Thrown from validation, a refusal would have no code and, over WebSocket, end the socket: so it is reported instead. */
  const reported = (limit: string) => ({
    propagateOnRejection: false,
    onReject: [
      (context: ValidationContext | null, error: Error) => {
        onExceeded(limit);
        if (limitsMode === 'enforce')
          context?.reportError(refusal('GRAPHQL_VALIDATION_FAILED', error.message.replace('Syntax Error: ', '')));
      },
    ],
  });
  const { depthMax, aliasesMax, directivesMax, tokensMax } = DOCUMENT_LIMITS;
  const armor = new EnvelopArmor({
    ...ALL_OFF,
    blockFieldSuggestion: { mask: '' },
    maxTokens: { n: tokensMax, propagateOnRejection: limitsMode === 'enforce', onReject: [() => onExceeded('tokens')] },
    // `__typename` is free by default.
    maxAliases: { n: aliasesMax, allowList: [], ...reported('aliases') },
    maxDirectives: { n: directivesMax, ...reported('directives') },
  }).protect().plugins;
  const depth = new EnvelopArmor({ ...ALL_OFF, maxDepth: { n: depthMax, flattenFragments: true, ...reported('depth') } }).protect().plugins;
  return [...armor, ...depth.map(exceptIntrospection)];
}

/** Depth is not counted below `__schema` and `__type`, of which each is allowed once: standard introspection is deep. */
function exceptIntrospection(plugin: Plugin): Plugin {
  return {
    onValidate: (payload) =>
      plugin.onValidate?.({ ...payload, addValidationRule: (rule: ValidationRule) => payload.addValidationRule(onRestOf(rule)) }),
  };
}

function onRestOf(rule: ValidationRule): ValidationRule {
  return (context) => {
    const visitor = rule(context);
    const visit = 'OperationDefinition' in visitor ? visitor.OperationDefinition : undefined;
    const enter = typeof visit === 'object' ? visit.enter : visit;
    if (enter === undefined) throw new Error('The depth rule must look at operations.');
    return {
      OperationDefinition: (operation, ...where) => enter.call(visitor, withoutIntrospection(operation), ...where),
    };
  };
}

function withoutIntrospection(operation: OperationDefinitionNode): OperationDefinitionNode {
  const selections = operation.selectionSet.selections.filter(
    (selection) => selection.kind !== Kind.FIELD || !['__schema', '__type'].includes(selection.name.value),
  );
  return { ...operation, selectionSet: { ...operation.selectionSet, selections } };
}
