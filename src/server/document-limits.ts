import type { Plugin } from '@envelop/core';
import { EnvelopArmor } from '@escape.tech/graphql-armor';
import {
  GraphQLError,
  Kind,
  NoFragmentCyclesRule,
  type OperationDefinitionNode,
  type ValidationContext,
  type ValidationRule,
  validate,
} from 'graphql';
import type { LimitsMode } from '../config.ts';
import { wholePoints } from '../graphql/cost.ts';
import { refusal } from '../graphql/errors.ts';
import { checkDocumentLength, DOCUMENT_LIMITS, validationRules } from '../graphql/limits.ts';
import { AppError } from '../platform/errors.ts';

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

type Refuse = (message: string) => GraphQLError;

/** GraphQL Armor and our own rules. They run in parsing and validation, which every transport shares. */
export function documentLimits({ limitsMode, onExceeded, ...options }: DocumentLimitsOptions): readonly Plugin[] {
  const own: Plugin = {
    onParse: ({ params }) => checkDocumentLength(String(params.source)),
    onValidate({ addValidationRule, setValidationFn }) {
      setValidationFn(validateAcyclic);
      for (const rule of validationRules(options)) addValidationRule(rule);
    },
  };
  return limitsMode === 'off' ? [own] : [own, ...armorLimits(limitsMode, onExceeded)];
}

/** First of all that no fragment spreads itself: the rule that compares fields which are merged follows such a circle until its stack is full. */
const validateAcyclic: typeof validate = (schema, document, rules, ...options) => {
  const circles = validate(schema, document, [NoFragmentCyclesRule]);
  return circles.length > 0 ? circles : validate(schema, document, rules, ...options);
};

function armorLimits(limitsMode: 'enforce' | 'measure', onExceeded: (limit: string) => void): readonly Plugin[] {
  /** Thrown from validation, a refusal would have no code and, over WebSocket, end the socket: so it is reported instead. */
  const reported = (limit: string, refuse: Refuse = refuseAsInvalid) => ({
    propagateOnRejection: false,
    onReject: [
      (context: ValidationContext | null, error: Error) => {
        onExceeded(limit);
        if (limitsMode === 'enforce') context?.reportError(refuse(error.message.replace('Syntax Error: ', '')));
      },
    ],
  });
  const { depthMax, aliasesMax, directivesMax, tokensMax, roughCostMax } = DOCUMENT_LIMITS;
  const armor = new EnvelopArmor({
    ...ALL_OFF,
    blockFieldSuggestion: { mask: '' },
    maxTokens: { n: tokensMax, propagateOnRejection: limitsMode === 'enforce', onReject: [() => onExceeded('tokens')] },
    // `__typename` is free by default.
    maxAliases: { n: aliasesMax, allowList: [], ...reported('aliases') },
    maxDirectives: { n: directivesMax, ...reported('directives') },
  }).protect().plugins;
  const depth = new EnvelopArmor({ ...ALL_OFF, maxDepth: { n: depthMax, flattenFragments: true, ...reported('depth') } }).protect().plugins;
  const cost = { maxCost: roughCostMax, flattenFragments: true, ...reported('cost', refuseAsTooExpensive) };
  // Last, so that what is wrong besides is told first.
  return [...armor, ...depth.map(exceptIntrospection), ...new EnvelopArmor({ ...ALL_OFF, costLimit: cost }).protect().plugins];
}

function refuseAsInvalid(message: string): GraphQLError {
  return refusal('GRAPHQL_VALIDATION_FAILED', message);
}

/** "Query Cost limit of 5000 exceeded, found 52700." */
function refuseAsTooExpensive(message: string): GraphQLError {
  const limit = DOCUMENT_LIMITS.roughCostMax;
  const cost = wholePoints(Number(/found ([\d.e+]+?)\.?$/.exec(message)?.[1] ?? limit));
  const text = `A document must cost at most ${limit} points by a rough count, got ${cost}.`;
  return new GraphQLError(text, { originalError: new AppError('COST_LIMIT_EXCEEDED', text, { cost, limit, hint: null }) });
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
